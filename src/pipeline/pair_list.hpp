#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "camera_choice.hpp"
#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// One pair of a list, as files.
struct PairEntry {
  std::size_t line = 0;  ///< in the list, from 1
  std::filesystem::path ground;
  std::filesystem::path satellite;
  std::optional<PixelPoint> truth = {};         ///< tile pixels
  std::optional<double> metres_per_pixel = {};  ///< of the tile
  std::optional<GeoBounds> bounds = {};         ///< of the tile
  CheckedCamera camera = {};
  std::filesystem::path camera_file = {};  ///< that the line names, or empty

  /// What is known of the tile, which is `otherwise` where the entry says nothing. Bounds give the
  /// scale too.
  TileInfo tile(const TileInfo& otherwise) const;
};

/// The columns of a list, "ground,satellite[,row,col]...".
std::string pair_columns();

/// The list that comes in through standard input.
inline constexpr const char* kStandardInput = "/dev/stdin";

/// The text of a list. Throws DataError if it cannot be read.
std::string read_list(const std::filesystem::path& file);

/// Reads a CSV list of pairs, and the camera files that it names. Its header names the columns, in
/// any order: `ground`, `satellite` (paths, relative to the folder of the list, or to the current
/// one where the list is an open descriptor, as /dev/stdin), optionally `row`
/// and `col` (the truth, tile pixels; both empty if it is not known), `gsd` (metres per tile
/// pixel), `bounds` ("west,south,east,north"), `camera` (path of a file), `heading`, and a column
/// for each of kCameraOptions. An empty field means: as `options` say. Throws DataError "FILE:LINE:
/// ..." for anything else, also for a list of no pair, and ChoiceError for `options` that no camera
/// can have. `text` is what read_list gives for `file`.
std::vector<PairEntry> parse_pair_list(const std::string& text, const std::filesystem::path& file,
                                       const CameraChoice& options = {});
inline std::vector<PairEntry> read_pair_list(const std::filesystem::path& file,
                                             const CameraChoice& options = {}) {
  return parse_pair_list(read_list(file), file, options);
}

}  // namespace crossfix::pipeline
