#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"
#include "observer.hpp"
#include "pair_list.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// How the pairs of a list are located.
struct ListOptions {
  std::string name;            ///< of the list, for messages
  TileInfo tile;               ///< of tiles whose entries say no more
  bool rescale = false;        ///< as the localizer was loaded
  std::filesystem::path dump;  ///< file of the raw outputs, or empty
};

/// A warning if the scale of the tile is far from the one that the weights were trained at, else
/// empty.
std::string scale_warning(const Localizer& localizer, const Pair& pair, const std::string& name);

/// Locates every entry, in batches of the localizer's size. Rank 0 writes JSON lines to `lines`, in
/// the order of the list. A pair that fails has an "error" in its line; the others go on, and
/// DataError is thrown at the end. It is thrown before any work for pairs that one dump cannot
/// hold, by the sizes in the headers of the tiles. Collective over `ranks`, which share the pairs.
void locate_list(const std::vector<PairEntry>& entries, const ListOptions& options,
                 Localizer& localizer, ranks::Ranks& ranks, Observer& observer,
                 std::ostream& lines);

}  // namespace crossfix::pipeline
