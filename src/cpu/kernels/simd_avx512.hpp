#pragma once

#include <immintrin.h>

namespace crossfix::cpu::kernels {

/// Sixteen floats: AVX-512. `Set` identifies the instruction set, so that two sets never share
/// code.
template <class Set>
struct Avx512Simd {
  using Floats = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 12;     ///< 24 sums, 2 columns and 1 broadcast in 32 registers
  static constexpr int kScoreRows = 6;     ///< 12 sums, 6 maxima, 2 columns and 1 broadcast
  static constexpr int kExponentials = 4;  ///< vectors of exponentials at once

  static Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Floats a) { _mm512_storeu_ps(p, a); }
  static Floats set(float a) { return _mm512_set1_ps(a); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  /// The larger; b if either is NaN.
  static Floats maximum(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  /// The larger; NaN if either is NaN.
  static Floats larger_or_nan(Floats a, Floats b) {
    // The maximum is a if either is NaN.
    return _mm512_mask_mov_ps(_mm512_max_ps(b, a), _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), b);
  }
  /// The float whose exponent bits are the low 8 bits of the argument.
  static Floats exponent_from_low_bits(Floats a) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
  }
  static float sum(Floats a) { return _mm512_reduce_add_ps(a); }
  static float largest(Floats a) { return _mm512_reduce_max_ps(a); }
};

}  // namespace crossfix::cpu::kernels
