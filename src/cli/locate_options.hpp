#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossfix/localizer.hpp"
#include "model_options.hpp"

namespace crossfix::cli {

/// The arguments of `crossfix locate`.
struct LocateOptions {
  ModelOptions model;
  std::string ground;
  std::string satellite;
  std::string pairs;
  std::optional<double> gsd;            ///< metres per tile pixel
  std::string bounds;                   ///< west,south,east,north, degrees; or empty
  std::optional<double> heading = 0.0;  ///< degrees; unknown where empty
  std::vector<double> truth;            ///< row, column; or empty
  std::string overlay;
  bool overlay_ground = false;
  std::string dump;
  bool dump_poses = false;
  bool json = false;
  bool rescale = false;
  Index batch = 1;  ///< pairs of a list that go through the network together

  TileInfo tile() const;
  std::optional<PixelPoint> truth_pixel() const;
};

/// Loads the weights; rank 0 says what they were trained on, on standard error.
Localizer load(const LocateOptions& options, const ranks::Place& place);

/// A warning where the tile's scale is far from the one the weights were trained at, else empty.
std::string scale_warning(const Localizer& localizer, const Pair& pair, const std::string& name);

/// Locates every pair of `options.pairs`: JSON lines in the list's order on standard output, a
/// summary of the errors on standard error. A pair that fails has an "error" in its line; the rest
/// goes on, and DataError is thrown at the end. Collective over `ranks`, which share the pairs.
void locate_list(const LocateOptions& options, ranks::Ranks& ranks);

}  // namespace crossfix::cli
