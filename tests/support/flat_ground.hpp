#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "crossfix/core/geometry.hpp"
#include "crossfix/core/tensor.hpp"

namespace crossfix::test {

/// A panorama [256, 512, 3] of flat ground that looks like a tile of `scale` metres a pixel, the
/// camera `height` metres above `camera` (tile pixels), its centre column at `heading` degrees;
/// plain sky.
inline Tensor<std::uint8_t, 3> panorama_of(const Tensor<std::uint8_t, 3>& tile, double scale,
                                           PixelPoint camera, double heading, double height = 2.6) {
  constexpr double kPi = std::numbers::pi;
  Tensor<std::uint8_t, 3> panorama({256, 512, 3});
  for (Index row = 0; row < 256; ++row) {
    for (Index col = 0; col < 512; ++col) {
      const double down = ((static_cast<double>(row) + 0.5) / 256 - 0.5) * kPi;
      const double azimuth =
          heading / 180 * kPi + ((static_cast<double>(col) + 0.5) / 512 - 0.5) * 2 * kPi;
      const double distance = down > 0 ? height / std::tan(down) / scale : 1e9;
      const double r = camera.row - distance * std::cos(azimuth);
      const double c = camera.col + distance * std::sin(azimuth);
      const bool seen = r >= 0 && c >= 0 && r < static_cast<double>(tile.extent(0)) &&
                        c < static_cast<double>(tile.extent(1));
      for (Index k = 0; k < 3; ++k) {
        panorama(row, col, k) = seen ? tile(static_cast<Index>(r), static_cast<Index>(c), k)
                                     : static_cast<std::uint8_t>(150 + 20 * k + col % 7);
      }
    }
  }
  return panorama;
}

}  // namespace crossfix::test
