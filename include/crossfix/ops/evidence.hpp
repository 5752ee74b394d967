#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace crossfix::ops {

/// What an answer says about whether the camera stands in the tile at all. A camera that does gives
/// one position that scores higher than all others; one that does not gives the highest of many
/// accidental scores.
struct Evidence {
  /// The largest logit: of the matcher a correlation, at most about 1, as a mean over the poses at
  /// a position.
  double peak = 0;
  double standout = 0;   ///< of the peak above the logits' mean, in their standard deviations
  double deviation = 0;  ///< standard deviation of the logits
  double share = 0;      ///< of the posterior in its first hypothesis (ops/hypotheses.hpp)
  /// Of the ground about the camera that weights look at, the share, by weight, that the image
  /// shows; 1 for networks that look at the whole image.
  double seen = 1;

  static constexpr std::size_t kCount = 5;
  static constexpr std::array<const char*, kCount> kNames{"peak", "standout", "deviation", "share",
                                                          "seen"};
  /// All of them, in the order of their names.
  std::array<double, kCount> values() const { return {peak, standout, deviation, share, seen}; }
};

/// The evidence of logits [cells], at least one; `share` and `seen` as they are given. `log_prior`:
/// the logarithm of the prior's sum over the poses that the logits sum up at a position, times the
/// temperature.
inline Evidence evidence_of(std::span<const float> logits, double log_prior, double share,
                            double seen) {
  double largest = logits.front();
  double sum = 0;
  double squares = 0;
  for (const float logit : logits) {
    // Differences from the first logit lose less than the logits' own squares.
    const double above = static_cast<double>(logit) - static_cast<double>(logits.front());
    largest = std::max<double>(largest, logit);
    sum += above;
    squares += above * above;
  }
  const auto count = static_cast<double>(logits.size());
  const double mean = sum / count;
  const double deviation = std::sqrt(std::max(squares / count - mean * mean, 0.0));
  const double above_mean = largest - static_cast<double>(logits.front()) - mean;
  return {largest - log_prior, deviation > 0 ? above_mean / deviation : 0.0, deviation, share,
          seen};
}

}  // namespace crossfix::ops
