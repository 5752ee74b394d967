/// Oxford RobotCar, as split and labelled for cross-view localization.
#pragma once

#include <filesystem>

#include "crossfix/core/shape.hpp"
#include "sample.hpp"

namespace crossfix::data {

/// The map that tiles are cut from, under the data set's root.
inline constexpr const char* kRobotCarMap = "satellite_map_new.png";

/// The frame of the reference: pixels a side of a tile, and the metres that it takes a pixel for.
inline constexpr double kRobotCarReferenceSide = 512;
inline constexpr double kRobotCarReferenceMetres = 0.144375;

struct RobotCarOptions {
  std::filesystem::path root;
  Split split = Split::test;
  /// Leave out the runs that have no split file, even all of them, with a warning. Otherwise they
  /// are an error.
  bool absent_runs = false;
};

/// From UTM (zone 30, metres) to the map: the least-squares affine map of the five published
/// control points. Map pixels are continuous.
class MapProjection {
 public:
  MapProjection();

  PixelPoint pixel(double easting, double northing) const;

  /// The square root of the area that a pixel covers on the ground, metres.
  double metres_per_pixel() const;

 private:
  // (row, col) = constant + east (easting - mean) + north (northing - mean)
  PixelPoint constant_;
  PixelPoint east_;
  PixelPoint north_;
};

/// Throws DataError for a map, [height, width] in pixels, that does not hold the published control
/// points, or is far larger: all truths would be wrong.
void check_map_size(const std::filesystem::path& file, const Shape<2>& size);

/// Reads `Oxford_split/`: training, validation, or the three test runs. Each run is a group; the
/// yaws of all runs follow each other in one array. No image is opened. A training sample has the
/// tile that it would have for validation; the reference draws one at random.
///
/// `true_` is in the 800 pixels of the tile, `reference` in the 512 of the reference's network
/// input. We take the control points to be continuous pixels of the map, and the turn to be about
/// the centre of a pixel, half a pixel from the corner that the reference uses. The vehicle faces
/// up in the tile.
///
/// Throws DataError "FILE:LINE: what, and what is expected" for a line without its 4 fields, for
/// numbers that do not parse, and for yaws that are not float64, are beyond a whole turn in
/// radians, or whose number is not that of the samples.
Dataset read_robotcar(const RobotCarOptions& options);

}  // namespace crossfix::data
