/// How far the posterior can be trusted.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "measurement.hpp"

namespace crossfix::eval {

/// A fifth of the samples, by `radius68`.
struct Fifth {
  std::size_t count = 0;
  double smallest_radius = 0;  ///< metres
  double largest_radius = 0;   ///< metres
  double coverage = 0;         ///< share of the truths within the radius; 68 % is right
  double mean_error = 0;       ///< metres
};

/// A point of the reliability curve: among the circles that hold `level` of the posterior, the
/// share that holds the truth.
struct Reliability {
  double level = 0;
  double observed = 0;
};

/// Errors when only the samples of the smallest radius are kept.
struct Risk {
  double kept = 0;  ///< share of the samples, from 0.05 to 1
  std::size_t count = 0;
  double mean = 0;    ///< metres
  double median = 0;  ///< metres
};

struct Uncertainty {
  std::size_t count = 0;
  double coverage = 0;  ///< share of the truths within `radius68`
  std::array<Fifth, 5> fifths{};
  std::vector<Reliability> reliability;  ///< levels 0.05, 0.1, ... 0.95
  /// Largest distance of the reliability curve from the diagonal, over all levels (the
  /// Kolmogorov-Smirnov distance of the levels from uniform ones).
  double reliability_gap = 0;
  std::vector<Risk> risk;
  double mean_nll = 0;        ///< nats, of a density per square metre
  std::size_t nll_count = 0;  ///< truths outside their tile have none
};

/// Samples of equal radius stay in their order. All figures are 0 if there are no samples.
Uncertainty assess(std::span<const Measurement> measurements);

}  // namespace crossfix::eval
