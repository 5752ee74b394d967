#pragma once

#include <cstddef>
#include <vector>

#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// How ranks share work, whatever it is: of `count` groups of pairs that go through the network
/// together, group i falls to rank i modulo the number of ranks. So all ranks move through the work
/// together: rank 0 can report results in order as they come, and what an interrupted run left is
/// divided evenly too. A ground image that the pairs of several groups have in common is read by
/// each rank that has one of them.
///
/// The groups that fall to this rank, in order.
inline std::vector<std::size_t> groups_of_rank(std::size_t count, const ranks::Topology& topology) {
  std::vector<std::size_t> groups;
  for (auto i = static_cast<std::size_t>(topology.rank); i < count;
       i += static_cast<std::size_t>(topology.size)) {
    groups.push_back(i);
  }
  return groups;
}

}  // namespace crossfix::pipeline
