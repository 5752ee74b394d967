/// Errors of many samples, and how certain their figures are.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "data/averages.hpp"
#include "measurement.hpp"

namespace crossfix::eval {

/// A figure with its 95 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// Errors in metres, shares from 0 to 1. All 0 for no samples.
struct ErrorSummary {
  std::size_t count = 0;
  Estimate mean;
  Estimate median;
  Estimate within_1m;
  Estimate within_3m;
  Estimate within_5m;
  Estimate within_5_percent;  ///< of the tile's side
};

/// Intervals are percentiles of a bootstrap. It draws ground images, each with all its tiles,
/// because the errors of one image's tiles are not independent. The same measurements in the same
/// order give the same intervals. The measurements of an image must follow each other.
ErrorSummary summarize(std::span<const Measurement> measurements);

using data::mean_of;
using data::median_of;

/// The standard deviation of the population: divided by the count.
double deviation_of(std::span<const double> values);

/// The value that `share` of the values lie below, interpolated between neighbours like NumPy's
/// `percentile`. `values` must not be empty.
double percentile_of(std::vector<double> values, double share);

}  // namespace crossfix::eval
