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
  std::optional<PixelPoint> truth;         ///< tile pixels
  std::optional<double> metres_per_pixel;  ///< of the tile
  std::optional<GeoBounds> bounds;         ///< of the tile
  CheckedCamera camera;
  std::filesystem::path camera_file;  ///< that the line names, or empty

  /// What is known of the tile, which is `otherwise` where the entry says nothing. Bounds give the
  /// scale too.
  TileInfo tile(const TileInfo& otherwise) const;
};

/// The columns of a list, "ground,satellite[,row,col]...".
std::string pair_columns();

/// Reads a CSV list of pairs, and the camera files that it names. Its header names the columns, in
/// any order: `ground`, `satellite` (paths, relative to the folder of the list), optionally `row`
/// and `col` (the truth, tile pixels; both empty if it is not known), `gsd` (metres per tile
/// pixel), `bounds` ("west,south,east,north"), `camera` (path of a file), `heading`, and a column
/// for each of kCameraOptions. An empty field means: as `options` say. Throws DataError "FILE:LINE:
/// ..." for anything else, and ChoiceError for `options` that no camera can have.
std::vector<PairEntry> read_pair_list(const std::filesystem::path& file,
                                      const CameraChoice& options = {});

}  // namespace crossfix::pipeline
