#include "world/plan/random.hpp"

#include <catch2/catch.hpp>
#include <cmath>

namespace crossfix::world {

TEST_CASE("mix64 is SplitMix64") {
  // The first three outputs of Steele, Lea and Flood's generator from state 0.
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  CHECK(mix64(0) == 0xE220A8397B1DCDAFULL);
  CHECK(mix64(kGolden) == 0x6E789E6AA1B965F4ULL);
  CHECK(mix64(2 * kGolden) == 0x06C45D188009454FULL);
}

TEST_CASE("A stream depends on its key alone") {
  Random a(7);
  Random b(7);
  Random other(8);
  Random child = Random(7).child(1);
  const std::uint64_t first = a.bits();
  CHECK(first == b.bits());
  CHECK(first != a.bits());
  CHECK(first != other.bits());
  CHECK(first != child.bits());
  // A child is the same, however often its parent was used.
  CHECK(a.child(1).bits() == Random(7).child(1).bits());
}

TEST_CASE("Uniform numbers fill their range evenly") {
  Random random(3);
  constexpr int kCount = 20000;
  double sum = 0.0;
  int low = 0;
  int zeros = 0;
  for (int i = 0; i < kCount; ++i) {
    const float value = random.uniform(2.0F, 6.0F);
    REQUIRE(value >= 2.0F);
    REQUIRE(value < 6.0F);
    sum += static_cast<double>(value);
    low += value < 3.0F ? 1 : 0;
    const int index = random.index(4);
    REQUIRE(index >= 0);
    REQUIRE(index < 4);
    zeros += index == 0 ? 1 : 0;
  }
  // Five standard deviations: 4 / sqrt(12 n) = 0.008 for the mean, sqrt(n 3/16) = 61 for counts.
  CHECK(std::abs(sum / kCount - 4.0) <= 0.041);
  CHECK(std::abs(low - kCount / 4) <= 306);
  CHECK(std::abs(zeros - kCount / 4) <= 306);
}

TEST_CASE("floor_int rounds down on both sides of zero") {
  for (const float value : {-3.0F, -2.5F, -0.1F, 0.0F, 0.1F, 2.0F, 2.9F}) {
    CHECK(floor_int(value) == static_cast<int>(std::floor(value)));
  }
}

TEST_CASE("Value noise is continuous and differs by seed") {
  float largest = 0.0F;
  float difference = 0.0F;
  for (int i = -400; i < 400; ++i) {
    const float x = 0.01F * static_cast<float>(i);
    const float value = value_noise(x, 0.3F, 5);
    REQUIRE(value >= 0.0F);
    REQUIRE(value < 1.0F);
    largest = std::max(largest, std::abs(value_noise(x + 0.01F, 0.3F, 5) - value));
    difference += std::abs(value_noise(x, 0.3F, 6) - value);
  }
  CHECK(largest <= 0.016F);  // the slope of the smooth step is at most 1.5
  CHECK(difference > 8.0F);
}

}  // namespace crossfix::world
