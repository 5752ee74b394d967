#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/core/tensor_record.hpp"
#include "crossfix/detail/counter_generator.hpp"

/// Weights and inputs of the golden tests, by name and index, the same here and in
/// training/crossfix_training/generator.py, so that only outputs are stored.
namespace crossfix::test {

using detail::bits;
using detail::stream;
using detail::value;

/// A tensor of unit variance, for the inputs of single operators and of the fusion network.
template <std::size_t Rank>
Tensor<float, Rank> features(std::string_view key, const Shape<Rank>& shape) {
  Tensor<float, Rank> out(shape);
  const std::uint64_t s = stream(key);
  for (Index i = 0; i < out.size(); ++i) {
    out.data()[i] =
        static_cast<float>(value(s, static_cast<std::uint64_t>(i)) * std::numbers::sqrt3);
  }
  return out;
}

/// Element `index` of the network parameter `key` of this shape.
/// training/crossfix_training/generator.py says why each scale was chosen.
inline float weight(std::string_view key, std::uint64_t key_stream, const std::vector<Index>& shape,
                    Index index) {
  const double r = value(key_stream, static_cast<std::uint64_t>(index));
  const auto fan_in = [&] {
    Index product = 1;
    for (std::size_t d = 1; d < shape.size(); ++d) product *= shape[d];
    return static_cast<double>(product);
  };
  if (shape.size() == 4) return static_cast<float>(r * std::sqrt(6.0 / fan_in()));
  if (shape.size() == 2) {
    const bool damped = key.ends_with("out_proj.weight") || key.ends_with("FFN.3.weight");
    const double gain = std::sqrt(3.0 / fan_in());
    return static_cast<float>(damped ? r * 0.4 * gain : r * gain);
  }
  if (key.ends_with("running_var")) return static_cast<float>(1 + 0.5 * r);
  if (key.ends_with("bn3.weight")) return static_cast<float>(0.3 + 0.06 * r);
  if (key.ends_with("weight")) return static_cast<float>(1 + 0.2 * r);
  return static_cast<float>(0.1 * r);
}

/// An 8-bit RGB image [height, width, 3]: blocks of 16 pixels with fine grain.
inline Tensor<std::uint8_t, 3> image(const std::string& key, Index height, Index width) {
  Tensor<std::uint8_t, 3> out({height, width, 3});
  const std::uint64_t coarse = stream(key + "/coarse");
  const std::uint64_t fine = stream(key + "/fine");
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      for (Index c = 0; c < 3; ++c) {
        const Index block = ((y / 16) * ((width + 15) / 16) + x / 16) * 3 + c;
        const std::uint64_t block_value = bits(coarse, static_cast<std::uint64_t>(block)) >> 56;
        const std::uint64_t grain =
            bits(fine, static_cast<std::uint64_t>((y * width + x) * 3 + c)) >> 56;
        out(y, x, c) = static_cast<std::uint8_t>((3 * block_value + grain) / 4);
      }
    }
  }
  return out;
}

/// The same, as a panorama that goes all around: its right half mirrors its left.
inline Tensor<std::uint8_t, 3> panorama(const std::string& key, Index height, Index width) {
  Tensor<std::uint8_t, 3> out = image(key, height, width);
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width / 2; ++x) {
      for (Index c = 0; c < 3; ++c) out(y, width - 1 - x, c) = out(y, x, c);
    }
  }
  return out;
}

}  // namespace crossfix::test
