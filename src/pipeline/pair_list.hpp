#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// One pair of a list, as files.
struct PairEntry {
  std::size_t line = 0;  ///< in the list, from 1
  std::filesystem::path ground;
  std::filesystem::path satellite;
  std::optional<PixelPoint> truth;         ///< tile pixels
  std::optional<double> metres_per_pixel;  ///< of the tile
};

/// Reads a CSV list of pairs. Its header names the columns, in any order: `ground`, `satellite`
/// (paths, relative to the folder of the list), optionally `row` and `col` (the truth, tile pixels;
/// both empty if it is not known) and `gsd` (metres per tile pixel). Throws DataError "FILE:LINE:
/// ..." for anything else.
std::vector<PairEntry> read_pair_list(const std::filesystem::path& file);

}  // namespace crossfix::pipeline
