#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "crossfix/core/tensor_view.hpp"

/// Whole equirectangular panoramas.
namespace crossfix::camera {

/// A row of pixels with a standard deviation below this, in 8-bit levels, is padding and not part
/// of a photograph: sensor noise and JPEG give larger values.
inline constexpr double kPaddingDeviation = 6.0;

/// The largest standard deviation of an image's channels over rows [begin, end), 8-bit levels.
inline double deviation_of_rows(TensorView<const std::uint8_t, 3> image, Index begin, Index end) {
  double largest = 0;
  const auto count = static_cast<double>((end - begin) * image.extent(1));
  for (Index c = 0; c < 3; ++c) {
    double sum = 0;
    double squares = 0;
    for (Index row = begin; row < end; ++row) {
      for (Index col = 0; col < image.extent(1); ++col) {
        const double value = image(row, col, c);
        sum += value;
        squares += value * value;
      }
    }
    const double mean = sum / count;
    largest = std::max(largest, squares / count - mean * mean);
  }
  return std::sqrt(std::max(largest, 0.0));
}

/// Distance, in metres, of the nearest ground that a panorama shows. The panorama is 8-bit RGB
/// [height, width, 3], from a level camera `camera_height` metres above the ground. The lowest rows
/// are padding if they have a single colour. Infinity if all rows below the horizon are padding.
inline double nearest_ground(TensorView<const std::uint8_t, 3> panorama, double camera_height) {
  const Index height = panorama.extent(0);
  Index end = height;
  while (end > height / 2 && deviation_of_rows(panorama, end - 1, end) < kPaddingDeviation) --end;
  constexpr double kPi = 3.14159265358979323846;
  const double down = (static_cast<double>(end) / static_cast<double>(height) - 0.5) * kPi;
  if (end == height) return 0;
  return down > 0 ? camera_height / std::tan(down) : std::numeric_limits<double>::infinity();
}

}  // namespace crossfix::camera
