#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "crossfix/core/shape.hpp"

namespace crossfix::ops {

/// A direction and its standard deviation, degrees clockwise from north.
struct HeadingEstimate {
  double degrees = 0;  ///< in [0, 360)
  double sigma_degrees = 0;
};

/// An angle in degrees, wrapped to [0, 360).
inline double wrapped_degrees(double degrees) {
  const double within = std::remainder(degrees, 360.0);
  const double turned = within < 0 ? within + 360.0 : within;
  return turned < 360.0 ? turned + 0.0 : 0.0;  // the addition turns -0 into 0
}

/// each(bin) for the bins of an arc of `width` of them about `middle`, of `bins` round the circle.
template <class Each>
void for_each_bin(Index middle, Index width, Index bins, const Each& each) {
  for (Index i = 0; i < width; ++i) each((middle + i - width / 2 + bins) % bins);
}

/// The heading estimated from a posterior over even steps clockwise from north. The heading is the
/// mean over the peak and the steps next to it. The standard deviation is the root of the mean
/// square distance of the whole posterior from that mean; the mass of each step is even over the
/// step.
inline HeadingEstimate circular_mean(std::span<const float> probability) {
  const auto count = static_cast<Index>(probability.size());
  const double step = 360.0 / static_cast<double>(count);
  const Index peak = std::max_element(probability.begin(), probability.end()) - probability.begin();
  const auto at = [&](Index offset) {
    return static_cast<double>(
        probability[static_cast<std::size_t>(((peak + offset) % count + count) % count)]);
  };
  const double beside = count > 2 ? (at(1) - at(-1)) / (at(-1) + at(0) + at(1)) : 0.0;
  const double mean = step * (static_cast<double>(peak) + beside);
  double square = step * step / 12.0;
  for (Index i = 0; i < count; ++i) {
    const double off = std::remainder(step * static_cast<double>(i) - mean, 360.0);
    square += static_cast<double>(probability[static_cast<std::size_t>(i)]) * off * off;
  }
  return {wrapped_degrees(mean), std::sqrt(square)};
}

}  // namespace crossfix::ops
