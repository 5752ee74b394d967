#pragma once

#include "crossfix/core/math.hpp"
#include "crossfix/core/memory_space.hpp"

namespace crossfix::ops {

/// The state of a softmax over the scores seen so far: their maximum m, and l = sum 2^(score - m).
/// Scores are in units of log 2 (a natural score times log2(e)). Other sums with weights 2^(score -
/// m), such as the weighted values of an attention, are kept by the caller and multiplied by the
/// factors that `update_maximum` and `merge` return.
///
/// `Math` supplies `Real` (a float, or a vector of floats with one softmax per lane) and the static
/// functions `set(float)`, `maximum(a, b)`, `add`, `subtract`, `multiply`, `exp2`, and `log2` if
/// `log_sum` is called. The arithmetic is part of the type, so that code compiled for different
/// machines is not mixed up by the linker.
///
/// A state that has seen no score, or only -inf, has m = -inf; its l is then meaningless. Source:
/// Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
template <class Math>
struct OnlineSoftmax {
  using Real = typename Math::Real;

  Real maximum = Math::set(-__builtin_inff());
  Real sum = Math::set(0.0f);

  /// The maximum that weights are relative to. It is finite even if every score is -inf, so that
  /// -inf - (-inf) does not give NaN.
  CROSSFIX_HOST_DEVICE Real reference() const {
    return Math::maximum(Math::set(-3.40282347e+38f), maximum);
  }

  /// The weight of a score relative to the current maximum.
  CROSSFIX_HOST_DEVICE Real weight(Real score) const {
    return Math::exp2(Math::subtract(score, reference()));
  }

  /// Updates the maximum before scores up to `largest` are added. Returns the factor for earlier
  /// sums.
  CROSSFIX_HOST_DEVICE Real update_maximum(Real largest) {
    const Real before = maximum;
    maximum = Math::maximum(maximum, largest);
    const Real factor = weight(before);
    sum = Math::multiply(sum, factor);
    return factor;
  }

  /// Merges the state of other scores into this one. Returns the factors for the sums that belong
  /// to this state and to the other.
  struct Factors {
    Real own;
    Real other;
  };
  CROSSFIX_HOST_DEVICE Factors merge(const OnlineSoftmax& other) {
    const Real own = update_maximum(other.maximum);
    const Real factor = weight(other.maximum);
    sum = Math::add(sum, Math::multiply(other.sum, factor));
    return {own, factor};
  }

  /// The natural log-sum-exp: the logarithm of the sum of e^score, with scores in natural units.
  /// -inf if there is no score other than -inf; NaN if the sum is NaN.
  CROSSFIX_HOST_DEVICE Real log_sum() const {
    return Math::multiply(Math::add(maximum, Math::log2(sum)), Math::set(kLn2));
  }

  /// A state with this log-sum-exp. It serves to merge results over parts of the scores that were
  /// already divided by their sums: after `factors = a.merge(b)` the result of the whole is
  /// (factors.own * result of a + factors.other * result of b) / a.sum.
  CROSSFIX_HOST_DEVICE static OnlineSoftmax of_log_sum(Real log_sum) {
    OnlineSoftmax state;
    state.maximum = Math::multiply(log_sum, Math::set(kLog2E));
    state.sum = Math::set(1.0f);
    return state;
  }
};

}  // namespace crossfix::ops
