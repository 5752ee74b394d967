#pragma once

#include <cmath>

#include "crossfix/core/tensor.hpp"

namespace crossfix::model {

/// The fixed position encoding of a feature map, [height * width, channels], tokens row-major:
/// channels 4k..4k+3 are sin(x w_k), cos(x w_k), sin(y w_k), cos(y w_k) with w_k = exp(-2k
/// ln(10000) / (channels / 2)); x is the column and y the row, both counted from 1. (Yuan, Maire,
/// Dayoub, WACV 2024.) Throws ShapeError unless `channels` is a multiple of 4.
inline Tensor<float, 2> position_encoding(Index height, Index width, Index channels) {
  if (channels % 4 != 0) {
    throw ShapeError("a position encoding of " + std::to_string(channels) +
                     " channels; they must be a multiple of 4");
  }
  Tensor<float, 2> encoding({height * width, channels});
  for (Index k = 0; k < channels / 4; ++k) {
    const double frequency = std::exp(-2.0 * static_cast<double>(k) * std::log(10000.0) /
                                      (static_cast<double>(channels) / 2.0));
    for (Index row = 0; row < height; ++row) {
      for (Index col = 0; col < width; ++col) {
        float* out = &encoding(row * width + col, 4 * k);
        const double x = static_cast<double>(col + 1) * frequency;
        const double y = static_cast<double>(row + 1) * frequency;
        out[0] = static_cast<float>(std::sin(x));
        out[1] = static_cast<float>(std::cos(x));
        out[2] = static_cast<float>(std::sin(y));
        out[3] = static_cast<float>(std::cos(y));
      }
    }
  }
  return encoding;
}

}  // namespace crossfix::model
