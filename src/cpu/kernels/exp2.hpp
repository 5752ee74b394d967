#pragma once

namespace crossfix::cpu::kernels {

/// 2^x for x <= 127, to `Degree` of a polynomial: 3 gives a relative error of 7.5e-5 (below a
/// bfloat16's rounding), 5 gives 1.3e-7 with its own rounding. x below -126, -inf included, gives
/// 2^-126 and not 0; a NaN stays a NaN.
///
/// 2^x = 2^n 2^f with n the nearest integer, |f| <= 1/2. The coefficients are the minimax ones of
/// 2^f there in relative error (Remez).
template <class Simd, int Degree>
inline typename Simd::Floats exp2(typename Simd::Floats x) {
  using Floats = typename Simd::Floats;
  static_assert(Degree == 3 || Degree == 5);
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits; 127 is the exponent bias.
  const Floats round = Simd::set(12582912.0f + 127.0f);
  const Floats clamped = Simd::maximum(Simd::set(-126.0f), x);
  const Floats shifted = Simd::add(clamped, round);
  const Floats f = Simd::subtract(clamped, Simd::subtract(shifted, round));
  Floats p;
  if constexpr (Degree == 3) {
    p = Simd::set(0x1.c3f7604ap-5f);
    p = Simd::multiply_add(p, f, Simd::set(0x1.f0de199bp-3f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.62f31a98p-1f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.fff6928cp-1f));
  } else {
    p = Simd::set(0x1.5c08e52ep-10f);
    p = Simd::multiply_add(p, f, Simd::set(0x1.3d0c52ccp-7f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.c6b6e4f9p-5f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.ebf9174fp-3f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.62e428c5p-1f));
    p = Simd::multiply_add(p, f, Simd::set(0x1.00000133p+0f));
  }
  return Simd::multiply(p, Simd::exponent_from_low_bits(shifted));
}

}  // namespace crossfix::cpu::kernels
