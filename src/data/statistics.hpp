#pragma once

#include <cstddef>
#include <optional>

#include "sample.hpp"

namespace crossfix::data {

/// What labels say without any image. A semi-positive is a tile of choice 1 to 3.
struct LabelStatistics {
  std::size_t ground_images = 0;
  std::size_t positives = 0;
  std::size_t positives_outside = 0;  ///< of the tile
  std::size_t semi_positives = 0;
  std::size_t semi_positives_outside = 0;
  /// Error of guessing the centre of the tile, metres, over the positives that lie within their
  /// tile.
  double centre_mean = 0;
  double centre_median = 0;
  /// Mean distance, metres, between the labels of the positives and the camera positions from the
  /// names' coordinates; absent if the names have none.
  std::optional<double> names_mean;
};

/// The statistics of one group of the data set, or of all if `group` is absent. Tiles that were not
/// read are not counted.
LabelStatistics statistics_of(const Dataset& dataset, std::optional<std::size_t> group = {});

}  // namespace crossfix::data
