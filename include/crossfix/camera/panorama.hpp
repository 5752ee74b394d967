#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "crossfix/core/tensor_view.hpp"

/// Whole equirectangular panoramas.
namespace crossfix::camera {

/// A row of pixels that differ by less than this standard deviation, 8-bit levels, is padding and no
/// photograph: sensors and JPEG leave more.
inline constexpr double kPaddingSpread = 6.0;

/// How near a panorama, 8-bit RGB [height, width, 3] with a level camera `camera_height` metres above
/// the ground, shows the ground, metres: the lowest rows are padding where they are of one colour.
/// Infinity where all below the horizon is.
inline double nearest_ground(TensorView<const std::uint8_t, 3> panorama, double camera_height) {
  const Index height = panorama.extent(0);
  const Index width = panorama.extent(1);
  const auto spread = [&](Index row) {
    double largest = 0;
    for (Index c = 0; c < 3; ++c) {
      double sum = 0;
      double squares = 0;
      for (Index col = 0; col < width; ++col) {
        const double value = panorama(row, col, c);
        sum += value;
        squares += value * value;
      }
      const double mean = sum / static_cast<double>(width);
      largest = std::max(largest, squares / static_cast<double>(width) - mean * mean);
    }
    return std::sqrt(std::max(largest, 0.0));
  };
  Index end = height;
  while (end > height / 2 && spread(end - 1) < kPaddingSpread) --end;
  constexpr double kPi = 3.14159265358979323846;
  const double down = (static_cast<double>(end) / static_cast<double>(height) - 0.5) * kPi;
  if (end == height) return 0;
  return down > 0 ? camera_height / std::tan(down) : std::numeric_limits<double>::infinity();
}

}  // namespace crossfix::camera
