/// Oxford RobotCar as split and labelled for cross-view localization.
#pragma once

#include <filesystem>

#include "sample.hpp"

namespace crossfix::data {

/// The map that tiles are cut from, under the data set's root.
inline constexpr const char* kRobotCarMap = "satellite_map_new.png";

/// The reference's frame, pixels a side of a tile, and the metres it takes a pixel for.
inline constexpr double kRobotCarReferenceSide = 512;
inline constexpr double kRobotCarReferenceMetres = 0.144375;

struct RobotCarOptions {
  std::filesystem::path root;
  Split split = Split::test;
  /// Go on without the runs that have no split file, be it all of them, with a warning. Otherwise
  /// they are an error.
  bool absent_runs = false;
};

/// From UTM (zone 30, metres) to the map: the least-squares affine of the five published control
/// points. Continuous pixels.
class MapProjection {
 public:
  MapProjection();

  PixelPoint pixel(double easting, double northing) const;

  /// The square root of the ground that a pixel covers, metres.
  double metres_per_pixel() const;

 private:
  // (row, col) = constant + east (easting - mean) + north (northing - mean)
  PixelPoint constant_;
  PixelPoint east_;
  PixelPoint north_;
};

/// Reads `Oxford_split/`: training, validation, or the three test runs, one group each, whose yaw
/// lies one after the other in one array. No image is touched. A training sample has the tile that
/// it would have for validation; the reference draws one at random.
///
/// `exact` is in the tile's 800 pixels, `reference` in its network image's 512. The map's
/// continuous pixels are taken to be those of the control points, and the turn to be about the
/// centre of a pixel, which is half a pixel from the reference's corner. The vehicle looks up in
/// the tile.
///
/// Throws DataError "FILE:LINE: what, and what is expected" for a line without its 4 fields and
/// numbers that do not parse, and for yaws that are not as many as the samples, or not float64.
Dataset read_robotcar(const RobotCarOptions& options);

}  // namespace crossfix::data
