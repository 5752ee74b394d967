#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"
#include "fix_report.hpp"
#include "observer.hpp"
#include "pair_list.hpp"
#include "ranks/ranks.hpp"

namespace crossfix::pipeline {

/// How the pairs of a list are located.
struct ListOptions {
  std::string name;                 ///< of the list, for messages
  TileInfo tile = {};               ///< of tiles whose entries say no more
  bool rescale = false;             ///< as the localizer was loaded
  std::filesystem::path dump = {};  ///< file of the raw outputs, or empty
};

/// What of a pair does not fit: its camera, and the scale of its tile if that is far from the one
/// that the weights were trained at and the localizer does not rescale.
Warnings warnings_of(const Localizer& localizer, const Pair& pair, const io::Photo& ground,
                     const CheckedCamera& camera, const Subject& subject, bool rescales);

/// Locates every entry, in batches of the localizer's size. Rank 0 writes JSON lines to `lines`, in
/// the order of the list, each whole and as soon as it is known. A pair that fails has an "error"
/// in its line; the others go on, and DataError is thrown at the end. It is thrown at once where a
/// line cannot be written, and before any work for pairs that one dump cannot hold, by the sizes in
/// the headers of the tiles. Collective over `ranks`, which share the pairs.
void locate_list(const std::vector<PairEntry>& entries, const ListOptions& options,
                 Localizer& localizer, ranks::Ranks& ranks, Observer& observer,
                 std::ostream& lines);

}  // namespace crossfix::pipeline
