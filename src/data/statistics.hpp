#pragma once

#include <cstddef>
#include <optional>

#include "sample.hpp"

namespace crossfix::data {

/// What labels say without an image. A semi-positive is a tile of choice 1 to 3.
struct LabelStatistics {
  std::size_t ground_images = 0;
  std::size_t positives = 0;
  std::size_t positives_outside = 0;  ///< of the tile
  std::size_t semi_positives = 0;
  std::size_t semi_positives_outside = 0;
  /// Error of guessing the tile's centre, metres, over the positives that lie in their tile.
  double centre_mean = 0;
  double centre_median = 0;
  /// Mean distance, metres, of the positives' labels from where the names' coordinates put the
  /// camera; absent where the names have none.
  std::optional<double> names_mean;
};

/// Of one group of the data set, or of all where `group` is absent. Tiles that were not read are
/// not counted.
LabelStatistics statistics_of(const Dataset& dataset, std::optional<std::size_t> group = {});

}  // namespace crossfix::data
