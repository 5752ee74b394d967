#include "crossfix/core/dtype.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace crossfix;

namespace {

/// The value of 16 bits with `exponent_bits` of exponent, from the definition of the IEEE formats.
double value_of(std::uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  const double significand = std::ldexp(fraction, -fraction_bits) + (exponent == 0 ? 0.0 : 1.0);
  return sign * std::ldexp(significand, std::max(exponent, 1) - bias);
}

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

/// Checks every value of the format, and both sides of every border between two neighbours.
/// Rounding keeps order, so that covers all floats.
template <class T>
void check_rounding(int exponent_bits) {
  const int infinity = ((1 << exponent_bits) - 1) << (15 - exponent_bits);
  int wrong = 0;
  for (int pattern = 0; pattern < 0x10000; ++pattern) {
    const auto bits = static_cast<std::uint16_t>(pattern);
    const auto value = static_cast<float>(T::from_bits(bits));
    wrong += same(value, value_of(bits, exponent_bits)) ? 0 : 1;
    const T back(value);
    wrong += std::isnan(value) ? !std::isnan(static_cast<float>(back)) : back.bits != bits;
  }
  CHECK(wrong == 0);
  for (int sign : {0, 0x8000}) {
    for (int pattern = 0; pattern < infinity; ++pattern) {
      const auto below = static_cast<std::uint16_t>(sign | pattern);
      const auto above = static_cast<std::uint16_t>(sign | (pattern + 1));
      const double step = value_of(below, exponent_bits) -
                          value_of(static_cast<std::uint16_t>(pattern == 0 ? 1 | (sign ^ 0x8000)
                                                                           : sign | (pattern - 1)),
                                   exponent_bits);
      // Beyond the largest number the border lies half a step further, as if there were a next
      // number.
      const double next = pattern + 1 == infinity ? value_of(below, exponent_bits) + step
                                                  : value_of(above, exponent_bits);
      const double middle = (value_of(below, exponent_bits) + next) / 2;
      const auto border = static_cast<float>(middle);
      if (static_cast<double>(border) != middle) continue;  // below float's own subnormals
      const float outward = sign != 0 ? -INFINITY : INFINITY;
      wrong += T(border).bits != (pattern % 2 == 0 ? below : above);
      wrong += T(std::nextafter(border, outward)).bits != above;
      wrong += T(std::nextafter(border, -outward)).bits != below;
    }
  }
  CHECK(wrong == 0);
  CHECK(T(INFINITY).bits == infinity);
  CHECK(T(-INFINITY).bits == (infinity | 0x8000));
  CHECK(T(std::numeric_limits<float>::max()).bits == infinity);
}

}  // namespace

TEST_CASE("float16 is IEEE binary16, rounded to nearest, ties to even") {
  check_rounding<float16>(5);
  CHECK(static_cast<float>(float16(65519.996F)) == 65504);
  CHECK(static_cast<float>(float16(0x1p-25F)) == 0);
  CHECK(static_cast<float>(float16(0x1.000002p-25F)) == 0x1p-24F);
}

TEST_CASE("bfloat16 is the upper half of a float, rounded to nearest, ties to even") {
  check_rounding<bfloat16>(8);
}

TEST_CASE("a NaN of any payload stays a NaN of its sign") {
  for (std::uint32_t fraction : {1U, 0x1fffU, 0x2000U, 0xffffU, 0x10000U, 0x400000U, 0x7fffffU}) {
    for (std::uint32_t sign : {0U, 0x80000000U}) {
      const auto nan = std::bit_cast<float>(sign | 0x7f800000U | fraction);
      CAPTURE(fraction, sign);
      CHECK(std::isnan(static_cast<float>(float16(nan))));
      CHECK(std::isnan(static_cast<float>(bfloat16(nan))));
      CHECK(float16(nan).bits >> 15 == sign >> 31);
      CHECK(bfloat16(nan).bits >> 15 == sign >> 31);
    }
  }
}

TEST_CASE("bfloat16 compares as its value") {
  CHECK(bfloat16(0.0F) == bfloat16(-0.0F));
  CHECK_FALSE(bfloat16(NAN) == bfloat16(NAN));
  CHECK_FALSE(bfloat16(1.0F) == bfloat16(2.0F));
}

TEST_CASE("element types have their size and name") {
  STATIC_REQUIRE(dtype_of<float> == Dtype::f32);
  STATIC_REQUIRE(dtype_of<bfloat16> == Dtype::bf16);
  STATIC_REQUIRE(size_of(dtype_of<float16>) == sizeof(float16));
  STATIC_REQUIRE(size_of(dtype_of<double>) == sizeof(double));
  STATIC_REQUIRE(size_of(dtype_of<std::int64_t>) == 8);
  STATIC_REQUIRE(size_of(dtype_of<std::int32_t>) == 4);
  STATIC_REQUIRE(size_of(dtype_of<std::uint8_t>) == 1);
  STATIC_REQUIRE(size_of(Dtype::boolean) == 1);
  STATIC_REQUIRE(size_of(Dtype::i16) == 2);
  CHECK(name_of(Dtype::bf16) == "bf16");
  CHECK(name_of(Dtype::i64) == "i64");
}
