#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"
#include "model_options.hpp"
#include "pipeline/camera_choice.hpp"

namespace crossfix::cli {

/// The arguments of `crossfix locate`.
struct LocateOptions {
  ModelOptions model;
  std::string ground;
  std::string satellite;
  std::string pairs;
  std::optional<double> gsd;   ///< metres per tile pixel
  std::vector<double> bounds;  ///< west, south, east, north, degrees; or empty
  pipeline::CameraChoice camera;
  std::vector<double> truth;  ///< row, column; or empty
  std::string overlay;
  bool overlay_ground = false;
  std::string dump;
  bool dump_poses = false;
  bool json = false;
  bool rescale = false;
  Index batch = 1;  ///< pairs of a list that go through the network together

  /// Throws DataError for bounds of no tile.
  TileInfo tile() const;
  std::optional<PixelPoint> truth_pixel() const;
};

/// Loads the weights. Rank 0 prints what they were trained on, on standard error.
Localizer load(const LocateOptions& options, const ranks::Topology& topology);

}  // namespace crossfix::cli
