#pragma once

#include "crossfix/core/math.hpp"
#include "exp2.hpp"
#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// The largest of several scores with their bias, and the sum of 2^(scale log2(e) (score -
/// largest)), in two passes.
template <class Simd>
struct LogSums {
  using Floats = typename Simd::Floats;
  static constexpr Index kLanes = Simd::kLanes;

  /// One column per lane.
  static void columns(const Scores& scores, float* maxima, float* sums) {
    for (Index c = 0; c < scores.columns; c += kLanes) {
      const Index count = scores.columns - c < kLanes ? scores.columns - c : kLanes;
      Floats largest = part(scores, 0, c, count);
      for (Index r = 1; r < scores.rows; ++r) {
        largest = Simd::maximum(largest, part(scores, r, c, count));
      }
      Floats sum = Simd::set(0.0f);
      for (Index r = 0; r < scores.rows; ++r) {
        sum = Simd::add(sum, weight(scores, part(scores, r, c, count), largest));
      }
      store(maxima + c, largest, count);
      store(sums + c, sum, count);
    }
  }

  /// For the only row.
  static void row(const Scores& scores, float* maximum, float* sum) {
    Floats lanes = Simd::set(kLeast);
    for (Index c = 0; c < scores.columns; c += kLanes) {
      lanes = Simd::maximum(lanes, part(scores, 0, c, scores.columns - c));
    }
    *maximum = Simd::largest(lanes);
    const Floats largest = Simd::set(*maximum);
    Floats weights = Simd::set(0.0f);
    for (Index c = 0; c < scores.columns; c += kLanes) {
      weights = Simd::add(weights, weight(scores, part(scores, 0, c, scores.columns - c), largest));
    }
    *sum = Simd::sum(weights);
  }

 private:
  static constexpr float kLeast = -3.40282347e+38f;

  /// Up to one vector of row `r` from column `c` on. Lanes beyond `count` have no weight.
  static Floats part(const Scores& scores, Index r, Index c, Index count) {
    const float* from = scores.first + r * scores.stride + c;
    const Floats bias = Simd::set(scores.bias[r]);
    if (count >= kLanes) return Simd::add(Simd::load(from), bias);
    float lanes[kLanes];
    for (Index i = 0; i < kLanes; ++i) lanes[i] = i < count ? from[i] : kLeast;
    return Simd::add(Simd::load(lanes), bias);
  }
  static void store(float* to, Floats values, Index count) {
    if (count >= kLanes) return Simd::store(to, values);
    float lanes[kLanes];
    Simd::store(lanes, values);
    for (Index i = 0; i < count; ++i) to[i] = lanes[i];
  }
  static Floats weight(const Scores& scores, Floats score, Floats largest) {
    Floats x[1] = {
        Simd::multiply(Simd::subtract(score, largest), Simd::set(scores.scale * kLog2E))};
    exp2<Simd, 5>(x);
    return x[0];
  }
};

}  // namespace crossfix::cpu::kernels
