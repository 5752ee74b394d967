#pragma once

#include <immintrin.h>

namespace crossfix::cpu::kernels {

/// Eight floats: AVX2 and FMA.
struct Avx2Simd {
  using Floats = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kTileRows = 6;      ///< 12 sums, 2 columns and 1 broadcast in 16 registers
  static constexpr int kScoreRows = 4;     ///< 8 sums, 4 maxima, 2 columns and 1 broadcast
  static constexpr int kExponentials = 2;  ///< vectors of exponentials at once

  static Floats load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Floats a) { _mm256_storeu_ps(p, a); }
  static Floats set(float a) { return _mm256_set1_ps(a); }
  static Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  static Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  /// The larger; b if either is NaN.
  static Floats maximum(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  /// The larger; NaN if either is NaN.
  static Floats larger_or_nan(Floats a, Floats b) {
    // The maximum is a if either is NaN.
    return _mm256_blendv_ps(_mm256_max_ps(b, a), b, _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
  }
  /// The float whose exponent bits are the low 8 bits of the argument.
  static Floats exponent_from_low_bits(Floats a) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
  }
  static float sum(Floats a) {
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
  }
  static float largest(Floats a) {
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
  }
};

}  // namespace crossfix::cpu::kernels
