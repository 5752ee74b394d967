#pragma once

#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// Add and LayerNorm, and the elementwise maximum of the pools. `Access` defines how elements are
/// read and written: Simd, Stored, load and store of a vector, load_one and store_one.
template <class Access>
struct RowKernels {
  using Simd = typename Access::Simd;
  using Floats = typename Simd::Floats;
  using Stored = typename Access::Stored;
  static constexpr Index kLanes = Simd::kLanes;

  /// Three passes over a row, which stays in L1: the sum, the squares about the mean, the result.
  static void layer_norm(const NormRows<Stored>& rows) {
    for (Index row = 0; row < rows.rows; ++row) {
      const float* x = rows.x + row * rows.x_stride;
      const float* r = rows.r != nullptr ? rows.r + row * rows.r_stride : nullptr;
      normalize(rows, x, r, rows.y + row * rows.y_stride, rows.z + row * rows.z_stride);
    }
  }

  static void maximum(Stored* accumulator, const Stored* values, Index count) {
    Index c = 0;
    for (; c + kLanes <= count; c += kLanes) {
      const Floats a = Access::load(accumulator + c);
      Access::store(accumulator + c, Simd::larger_or_nan(a, Access::load(values + c)));
    }
    for (; c < count; ++c) {
      const float a = Access::load_one(accumulator + c);
      const float b = Access::load_one(values + c);
      if (b > a || b != b) accumulator[c] = values[c];
    }
  }

 private:
  static Floats sum_of(const float* x, const float* r, Index c) {
    const Floats a = Simd::load(x + c);
    return r != nullptr ? Simd::add(a, Simd::load(r + c)) : a;
  }
  static float one_of(const float* x, const float* r, Index c) {
    return x[c] + (r != nullptr ? r[c] : 0.0f);
  }

  static void normalize(const NormRows<Stored>& rows, const float* x, const float* r, float* y,
                        Stored* z) {
    const Index channels = rows.channels;
    const Index whole = channels / kLanes * kLanes;
    Floats sums = Simd::set(0.0f);
    for (Index c = 0; c < whole; c += kLanes) sums = Simd::add(sums, sum_of(x, r, c));
    float sum = Simd::sum(sums);
    for (Index c = whole; c < channels; ++c) sum += one_of(x, r, c);
    const float mean = sum / static_cast<float>(channels);

    const Floats means = Simd::set(mean);
    Floats squares = Simd::set(0.0f);
    for (Index c = 0; c < whole; c += kLanes) {
      const Floats d = Simd::subtract(sum_of(x, r, c), means);
      squares = Simd::multiply_add(d, d, squares);
    }
    float square = Simd::sum(squares);
    for (Index c = whole; c < channels; ++c) {
      const float d = one_of(x, r, c) - mean;
      square += d * d;
    }
    const float variance = square / static_cast<float>(channels);
    const float inverse = 1.0f / __builtin_sqrtf(variance + rows.epsilon);

    const Floats inverses = Simd::set(inverse);
    for (Index c = 0; c < whole; c += kLanes) {
      const Floats d = Simd::multiply(Simd::subtract(sum_of(x, r, c), means), inverses);
      const Floats result =
          Simd::multiply_add(d, Simd::load(rows.scale + c), Simd::load(rows.shift + c));
      Simd::store(y + c, result);
      Access::store(z + c, result);
    }
    for (Index c = whole; c < channels; ++c) {
      const float d = (one_of(x, r, c) - mean) * inverse;
      y[c] = d * rows.scale[c] + rows.shift[c];
      Access::store_one(z + c, y[c]);
    }
  }
};

/// Elements that are floats.
template <class SimdType>
struct FloatAccess {
  using Simd = SimdType;
  using Floats = typename Simd::Floats;
  using Stored = float;
  static Floats load(const float* p) { return Simd::load(p); }
  static void store(float* p, Floats a) { Simd::store(p, a); }
  static float load_one(const float* p) { return *p; }
  static void store_one(float* p, float a) { *p = a; }
};

}  // namespace crossfix::cpu::kernels
