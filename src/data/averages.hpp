/// Averages of figures, for the statistics of labels and of errors.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace crossfix::data {

/// The mean; 0 if there are no values.
inline double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The middle value, or the mean of the two middle values; 0 if there are no values.
inline double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

}  // namespace crossfix::data
