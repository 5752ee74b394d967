#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crossfix/core/memory_space.hpp"

namespace crossfix {

/// bfloat16: the upper 16 bits of an IEEE binary32, with 8 exponent bits and 7 fraction bits. For
/// storage only; arithmetic is done in float.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;

  /// Rounds to nearest, ties to even; NaN stays NaN.
  CROSSFIX_HOST_DEVICE explicit constexpr bfloat16(float value)
      : bits(round_bits(std::bit_cast<std::uint32_t>(value))) {}

  CROSSFIX_HOST_DEVICE explicit constexpr operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

  static constexpr bfloat16 from_bits(std::uint16_t raw) {
    bfloat16 value;
    value.bits = raw;
    return value;
  }

  friend constexpr bool operator==(bfloat16 a, bfloat16 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }

 private:
  CROSSFIX_HOST_DEVICE static constexpr std::uint16_t round_bits(std::uint32_t u) {
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 0x40u);
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

/// IEEE binary16, for storage only: 5 exponent bits, 10 fraction bits.
struct float16 {
  std::uint16_t bits = 0;

  float16() = default;

  /// Rounds to nearest, ties to even; overflows to infinity; NaN stays NaN.
  explicit constexpr float16(float value) : bits(round_bits(std::bit_cast<std::uint32_t>(value))) {}

  explicit constexpr operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fu;
    const std::uint32_t fraction = bits & 0x3ffu;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, exact in float
      const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
      return sign != 0 ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
  }

  static constexpr float16 from_bits(std::uint16_t raw) {
    float16 value;
    value.bits = raw;
    return value;
  }

 private:
  static constexpr std::uint16_t round_bits(std::uint32_t u) {
    const auto sign = static_cast<std::uint16_t>((u >> 16) & 0x8000u);
    const std::uint32_t magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {  // below 2^-14: a multiple of 2^-24, rounded by the addition
      const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
      return static_cast<std::uint16_t>(
          sign | (std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f)));
    }
    const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
  }
};

/// Element types that a weights file may contain. Networks use the first four; of the others a file
/// may hold tensors that nothing uses.
enum class Dtype {
  f32,
  f16,
  bf16,
  f64,
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean,
  u64,
  u32,
  u16,
  c64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f6_e2m3,
  f6_e3m2,
  f4
};

/// Bits of one element. Those of less than 8 bits lie one after the other without gaps.
constexpr std::size_t bits_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
    case Dtype::i64:
    case Dtype::u64:
    case Dtype::c64:
      return 64;
    case Dtype::f32:
    case Dtype::i32:
    case Dtype::u32:
      return 32;
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::i16:
    case Dtype::u16:
      return 16;
    case Dtype::f6_e2m3:
    case Dtype::f6_e3m2:
      return 6;
    case Dtype::f4:
      return 4;
    default:
      return 8;
  }
}

/// Bytes of one element; of a type of less than 8 bits 0.
constexpr std::size_t size_of(Dtype dtype) { return bits_of(dtype) / 8; }

/// The name that crossfix prints and accepts on its command line.
constexpr std::string_view name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "f32";
    case Dtype::f16:
      return "f16";
    case Dtype::bf16:
      return "bf16";
    case Dtype::f64:
      return "f64";
    case Dtype::i64:
      return "i64";
    case Dtype::i32:
      return "i32";
    case Dtype::i16:
      return "i16";
    case Dtype::i8:
      return "i8";
    case Dtype::u8:
      return "u8";
    case Dtype::boolean:
      return "bool";
    case Dtype::u64:
      return "u64";
    case Dtype::u32:
      return "u32";
    case Dtype::u16:
      return "u16";
    case Dtype::c64:
      return "c64";
    case Dtype::f8_e4m3:
      return "f8_e4m3";
    case Dtype::f8_e5m2:
      return "f8_e5m2";
    case Dtype::f8_e8m0:
      return "f8_e8m0";
    case Dtype::f8_e4m3fnuz:
      return "f8_e4m3fnuz";
    case Dtype::f8_e5m2fnuz:
      return "f8_e5m2fnuz";
    case Dtype::f6_e2m3:
      return "f6_e2m3";
    case Dtype::f6_e3m2:
      return "f6_e3m2";
    case Dtype::f4:
      return "f4";
  }
  return "?";
}

/// `dtype_of<T>` is the Dtype of a C++ element type.
template <class T>
inline constexpr Dtype dtype_of = [] {
  static_assert(sizeof(T) == 0, "no Dtype for this element type");
  return Dtype::f32;
}();
template <>
inline constexpr Dtype dtype_of<float> = Dtype::f32;
template <>
inline constexpr Dtype dtype_of<bfloat16> = Dtype::bf16;
template <>
inline constexpr Dtype dtype_of<float16> = Dtype::f16;
template <>
inline constexpr Dtype dtype_of<double> = Dtype::f64;
template <>
inline constexpr Dtype dtype_of<std::int64_t> = Dtype::i64;
template <>
inline constexpr Dtype dtype_of<std::int32_t> = Dtype::i32;
template <>
inline constexpr Dtype dtype_of<std::uint8_t> = Dtype::u8;

}  // namespace crossfix
