#pragma once

#include <cstdint>

namespace crossfix::cpu::kernels {

/// Four floats in the compiler's own vector type: SSE2 on x86-64, whatever is available elsewhere.
struct BaselineSimd {
  using Floats = float __attribute__((vector_size(16)));
  using Bits = std::int32_t __attribute__((vector_size(16)));
  using Unaligned = float __attribute__((vector_size(16), aligned(4), may_alias));
  static constexpr int kLanes = 4;
  static constexpr int kTileRows = 6;      ///< 12 sums, 2 columns and 1 broadcast in 16 registers
  static constexpr int kScoreRows = 4;     ///< 8 sums, 4 maxima, 2 columns and 1 broadcast
  static constexpr int kExponentials = 2;  ///< vectors of exponentials at once

  static Floats load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static void store(float* p, Floats a) { *reinterpret_cast<Unaligned*>(p) = a; }
  static Floats set(float a) { return Floats{a, a, a, a}; }
  static Floats add(Floats a, Floats b) { return a + b; }
  static Floats subtract(Floats a, Floats b) { return a - b; }
  static Floats multiply(Floats a, Floats b) { return a * b; }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return a * b + c; }
  /// The larger; b if either is NaN.
  static Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
  /// The larger; NaN if either is NaN.
  static Floats larger_or_nan(Floats a, Floats b) {
    const Floats larger = maximum(b, a);  // a if either is NaN
    return b == b ? larger : b;
  }
  /// The float whose exponent bits are the low 8 bits of the argument.
  static Floats exponent_from_low_bits(Floats a) {
    return reinterpret_cast<Floats>(reinterpret_cast<Bits>(a) << 23);
  }
  static float sum(Floats a) { return (a[0] + a[2]) + (a[1] + a[3]); }
  static float largest(Floats a) {
    const float b = a[0] > a[2] ? a[0] : a[2];
    const float c = a[1] > a[3] ? a[1] : a[3];
    return b > c ? b : c;
  }
};

}  // namespace crossfix::cpu::kernels
