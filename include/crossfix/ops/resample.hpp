#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "crossfix/core/shape.hpp"

/// Antialiased bilinear resampling of 8-bit samples in fixed point, equal to Pillow's `resize` with
/// its bilinear filter. An image is filtered along its rows, rounded to 8 bits, then filtered along
/// its columns. An axis that keeps its size is not filtered.
///
/// The result is bit-identical to Pillow if Pillow filters the axes in this order. Its newest
/// releases filter columns first if that is less work, most often if an image grows in width and
/// shrinks in height. Then the two roundings differ by at most one grey level.
namespace crossfix::ops {

/// Fraction bits of a weight: a weight of 1 is 2^22.
inline constexpr int kResampleBits = 22;

/// Initial value of a weighted sum: one half, so that the shift rounds to nearest.
inline constexpr std::int32_t kResampleHalf = std::int32_t{1} << (kResampleBits - 1);

/// Converts a finished sum, `kResampleHalf` + weights x samples, to a sample. Weights are not
/// negative.
constexpr std::uint8_t resampled(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(sum >> kResampleBits, 255));
}

/// The weights that resample one axis from `inputs` to `outputs` samples: output i is the sum over
/// t < count[i] of weights[i * taps + t] * input[first[i] + t].
struct ResampleTable {
  Index inputs = 0;
  Index outputs = 0;
  Index taps = 0;                          ///< weights stored for every output; unused ones are 0
  std::vector<Index> first = {};           ///< [outputs]
  std::vector<Index> count = {};           ///< [outputs], at most `taps`
  std::vector<std::int32_t> weights = {};  ///< [outputs, taps]
};

/// The table of a triangle filter whose half-width is one sample of the coarser side. This is plain
/// linear interpolation when upsampling, and an average without aliasing when downsampling. At the
/// ends the triangle is cut off and the remaining weights are scaled to sum to 1. Throws ShapeError
/// for an empty axis.
inline ResampleTable resample_table(Index inputs, Index outputs) {
  if (inputs < 1 || outputs < 1) {
    throw ShapeError("cannot resample " + std::to_string(inputs) + " samples to " +
                     std::to_string(outputs) + "; at least 1 is expected");
  }
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double radius = std::max(step, 1.0);
  const double slope = 1.0 / radius;
  ResampleTable table;
  table.inputs = inputs;
  table.outputs = outputs;
  table.taps = 2 * static_cast<Index>(std::ceil(radius)) + 1;
  table.first.resize(static_cast<std::size_t>(outputs));
  table.count.resize(static_cast<std::size_t>(outputs));
  table.weights.resize(static_cast<std::size_t>(outputs * table.taps));
  std::vector<double> exact(static_cast<std::size_t>(table.taps));
  for (Index i = 0; i < outputs; ++i) {
    // The order of these operations is Pillow's: the doubles must round in the same way for the
    // integers to be equal.
    const double centre = (static_cast<double>(i) + 0.5) * step;
    const Index begin = std::max<Index>(static_cast<Index>(centre - radius + 0.5), 0);
    const Index end = std::min(static_cast<Index>(centre + radius + 0.5), inputs);
    double total = 0;
    for (Index t = 0; t < end - begin; ++t) {
      const double distance = std::abs((static_cast<double>(t + begin) - centre + 0.5) * slope);
      const double weight = distance < 1.0 ? 1.0 - distance : 0.0;
      exact[static_cast<std::size_t>(t)] = weight;
      total += weight;
    }
    std::int32_t* weights = &table.weights[static_cast<std::size_t>(i * table.taps)];
    for (Index t = 0; t < end - begin; ++t) {
      const double share = exact[static_cast<std::size_t>(t)] / total;
      weights[t] = static_cast<std::int32_t>(0.5 + share * (std::int32_t{1} << kResampleBits));
    }
    table.first[static_cast<std::size_t>(i)] = begin;
    table.count[static_cast<std::size_t>(i)] = end - begin;
  }
  return table;
}

}  // namespace crossfix::ops
