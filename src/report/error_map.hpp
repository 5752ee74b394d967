/// Maps that show where errors are small and where they are large, as inline SVG.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "data/sample.hpp"
#include "eval/measurement.hpp"

namespace crossfix::report {

/// Errors in metres that separate the colours of the maps: below the first, ..., from the last on.
/// The style sheet calls them `.error-0` to `.error-5`.
inline constexpr std::array<double, 5> kErrorSteps{1, 3, 5, 10, 25};

/// The most samples that a map shows as dots; more are drawn as cells.
inline constexpr std::size_t kMostMapPoints = 1200;

/// A sample on a map: x to the right, y upwards.
struct MapPoint {
  double x = 0;
  double y = 0;
  double error_m = 0;
  std::string hint;  ///< shown by the pointer
};

struct MapFrame {
  std::string title;
  std::string description;
  double left = 0;
  double bottom = 0;
  double right = 1;
  double top = 1;
  bool metres = false;  ///< whether x and y are metres; then a scale bar gives a length
  double width = 338;   ///< CSS pixels; the height follows
  int cell = 8;         ///< side of the cells that replace dots if there are too many, CSS pixels
};

/// The frame of a map of `points` in metres: it holds all of them, with a margin, and is neither
/// flat nor empty. Throws ShapeError if there are no points.
MapFrame frame_around(const std::vector<MapPoint>& points);

/// Samples as dots coloured by error, the worst on top. If there are too many, square cells
/// coloured by the median error of the samples within. All values must be finite.
std::string error_map(const MapFrame& frame, const std::vector<MapPoint>& points);

/// The legend of the colours for all maps of a document: a `p` element.
std::string error_key();

/// Metres east and north of the mean of all, for the measured samples of one group of the data set.
/// Samples without a location, with one that is not finite, or with an error that is not drawable
/// are left out. Degrees are projected onto a plane about their mean, accurate to 1e-3 over 10 km.
/// A group has either degrees or metres; otherwise ShapeError is thrown.
std::vector<MapPoint> city_points(const data::Dataset& dataset,
                                  const std::vector<eval::Measurement>& measurements,
                                  std::size_t group);

/// The file name of a sample's ground image without its folders, for people to read.
std::string ground_name(const data::Sample& sample);

}  // namespace crossfix::report
