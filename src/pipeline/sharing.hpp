#pragma once

#include <cstddef>
#include <vector>

#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// How ranks share any kind of work. Of `count` groups of pairs that go through the network
/// together, group i belongs to rank i modulo the number of ranks. So all ranks move through the
/// work together: rank 0 can report results in order as they come, and the rest of an interrupted
/// run is divided evenly too. If pairs of several groups share a ground image, each rank with one
/// of these groups reads it.
///
/// Returns the groups of this rank, in order.
inline std::vector<std::size_t> groups_of_rank(std::size_t count, const ranks::Topology& topology) {
  std::vector<std::size_t> groups;
  for (auto i = static_cast<std::size_t>(topology.rank); i < count;
       i += static_cast<std::size_t>(topology.size)) {
    groups.push_back(i);
  }
  return groups;
}

}  // namespace crossfix::pipeline
