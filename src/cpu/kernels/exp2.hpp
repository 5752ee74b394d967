#pragma once

namespace crossfix::cpu::kernels {

/// x = 2^x for x <= 127, by a polynomial of degree `Degree`: 3 gives a relative error of 7.5e-5
/// (below a bfloat16's rounding), 5 gives 1.3e-7 including its own rounding. x below -126, also
/// -inf, gives 2^-126 and not 0; NaN stays NaN.
///
/// 2^x = 2^n 2^f, with n the nearest integer and |f| <= 1/2. The coefficients are minimax for the
/// relative error of 2^f in this range (Remez).
///
/// `Count` vectors are computed together, step by step. Computed one after the other, their
/// dependency chains of about 40 cycles would fill the processor's scheduler before its execution
/// units.
template <class Simd, int Degree, int Count>
[[gnu::always_inline]] inline void exp2(typename Simd::Floats (&x)[Count]) {
  using Floats = typename Simd::Floats;
  static_assert(Degree == 3 || Degree == 5);
  constexpr float kCubic[] = {0x1.c3f7604ap-5f, 0x1.f0de199bp-3f, 0x1.62f31a98p-1f,
                              0x1.fff6928cp-1f};
  constexpr float kQuintic[] = {0x1.5c08e52ep-10f, 0x1.3d0c52ccp-7f, 0x1.c6b6e4f9p-5f,
                                0x1.ebf9174fp-3f,  0x1.62e428c5p-1f, 0x1.00000133p+0f};
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits; 127 is the exponent bias.
  const Floats round = Simd::set(12582912.0f + 127.0f);
  Floats shifted[Count];
  Floats p[Count];
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) x[i] = Simd::maximum(Simd::set(-126.0f), x[i]);
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) shifted[i] = Simd::add(x[i], round);
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) x[i] = Simd::subtract(x[i], Simd::subtract(shifted[i], round));
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) p[i] = Simd::set(Degree == 3 ? kCubic[0] : kQuintic[0]);
#pragma GCC unroll 8
  for (int d = 1; d <= Degree; ++d) {
    const Floats coefficient = Simd::set(Degree == 3 ? kCubic[d] : kQuintic[d]);
#pragma GCC unroll 8
    for (int i = 0; i < Count; ++i) p[i] = Simd::multiply_add(p[i], x[i], coefficient);
  }
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) {
    x[i] = Simd::multiply(p[i], Simd::exponent_from_low_bits(shifted[i]));
  }
}

}  // namespace crossfix::cpu::kernels
