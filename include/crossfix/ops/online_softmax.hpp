#pragma once

#include "crossfix/core/math.hpp"
#include "crossfix/core/memory_space.hpp"

namespace crossfix::ops {

/// The state of a softmax over the scores seen so far: their maximum m, and l = sum 2^(score - m).
/// Scores are in units of log 2 (a natural score times log2(e)). Whatever else is summed with
/// weights 2^(score - m), the weighted values of an attention say, is kept beside it and multiplied
/// by the factors that `update_maximum` and `merge` return.
///
/// `Math` supplies `Real` (a float, or a vector of them, one softmax a lane) and static functions
/// `set(float)`, `maximum(a, b)`, `add`, `subtract`, `multiply`, `exp2`, and `log2` where `log_sum`
/// is called. Naming the arithmetic in the type keeps copies compiled for different machines apart.
///
/// A state that has seen no score, or only -inf, has m = -inf; its l means nothing.
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
template <class Math>
struct OnlineSoftmax {
  using Real = typename Math::Real;

  Real maximum = Math::set(-__builtin_inff());
  Real sum = Math::set(0.0f);

  /// The maximum as weights use it: finite also where every score is -inf, so that -inf - (-inf)
  /// never makes a NaN of a row whose other scores are finite.
  CROSSFIX_HOST_DEVICE Real reference() const {
    return Math::maximum(Math::set(-3.40282347e+38f), maximum);
  }

  /// The weight of a score under the present maximum.
  CROSSFIX_HOST_DEVICE Real weight(Real score) const {
    return Math::exp2(Math::subtract(score, reference()));
  }

  /// Takes in that scores up to `largest` follow; returns the factor for what was summed before.
  CROSSFIX_HOST_DEVICE Real update_maximum(Real largest) {
    const Real before = maximum;
    maximum = Math::maximum(maximum, largest);
    const Real factor = weight(before);
    sum = Math::multiply(sum, factor);
    return factor;
  }

  /// Takes in the state over other scores; returns the factors for what was summed with this state
  /// and with the other.
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

  /// The log-sum-exp, natural: the logarithm of the sum of e^score over the scores in natural
  /// units. -inf where there is no score but -inf; NaN where the sum is.
  CROSSFIX_HOST_DEVICE Real log_sum() const {
    return Math::multiply(Math::add(maximum, Math::log2(sum)), Math::set(kLn2));
  }

  /// A state of this log-sum-exp, to merge results over parts of the scores that were divided by
  /// their sums already: after `factors = a.merge(b)` the whole's result is
  /// (factors.own * result of a + factors.other * result of b) / a.sum.
  CROSSFIX_HOST_DEVICE static OnlineSoftmax of_log_sum(Real log_sum) {
    OnlineSoftmax state;
    state.maximum = Math::multiply(log_sum, Math::set(kLog2E));
    state.sum = Math::set(1.0f);
    return state;
  }
};

}  // namespace crossfix::ops
