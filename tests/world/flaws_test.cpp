#include "world/render/flaws.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

namespace crossfix::world {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kHeight = 256;
constexpr int kWidth = 512;

struct Spot {
  double row = 0.0;
  double column = 0.0;
};

/// A black panorama with a round white spot.
Raster with_spot(double row, double column) {
  Raster image = Raster::blank(kHeight, kWidth);
  for (int r = 0; r < kHeight; ++r) {
    for (int c = 0; c < kWidth; ++c) {
      if (std::hypot(r + 0.5 - row, c + 0.5 - column) < 5.0) image.set(r, c, {1.0F, 1.0F, 1.0F});
    }
  }
  return image;
}

Spot find_spot(const Raster& image) {
  Spot spot;
  double sum = 0.0;
  std::size_t at = 0;
  for (int r = 0; r < kHeight; ++r) {
    for (int c = 0; c < kWidth; ++c, at += 3) {
      spot.row += (r + 0.5) * image.rgb[at];
      spot.column += (c + 0.5) * image.rgb[at];
      sum += image.rgb[at];
    }
  }
  return {spot.row / sum, spot.column / sum};
}

constexpr double kPixels = kHeight / kPi;  // a radian

}  // namespace

TEST_CASE("A camera without flaws sees what it saw") {
  const Raster image = with_spot(100.0, 300.0);
  Flaws none;
  CHECK(turned(image, none).rgb == image.rgb);
}

TEST_CASE("A camera that is turned sees the world turned the other way") {
  constexpr float kAngle = 0.05F;
  Flaws flaws;
  SECTION("heading: to the east, so that north is left of the centre") {
    flaws.heading = kAngle;
    const Spot spot = find_spot(turned(with_spot(128.0, 256.0), flaws));
    CHECK(std::abs(spot.column - (256.0 - kPixels * static_cast<double>(kAngle))) <= 0.2);
    CHECK(std::abs(spot.row - 128.0) <= 0.2);
  }
  SECTION("pitch: up, so that the horizon ahead sinks and the one behind rises") {
    flaws.pitch = kAngle;
    const Spot ahead = find_spot(turned(with_spot(128.0, 256.0), flaws));
    CHECK(std::abs(ahead.row - (128.0 + kPixels * static_cast<double>(kAngle))) <= 0.2);
    const Spot aside = find_spot(turned(with_spot(128.0, 384.0), flaws));
    CHECK(std::abs(aside.row - 128.0) <= 0.2);
  }
  SECTION("roll: clockwise, so that the east's horizon rises") {
    flaws.roll = kAngle;
    const Spot east = find_spot(turned(with_spot(128.0, 384.0), flaws));
    CHECK(std::abs(east.row - (128.0 - kPixels * static_cast<double>(kAngle))) <= 0.2);
    const Spot ahead = find_spot(turned(with_spot(128.0, 256.0), flaws));
    CHECK(std::abs(ahead.row - 128.0) <= 0.2);
  }
}

TEST_CASE("Noise has its deviation and no mean, and a key gives the same noise") {
  Raster image = Raster::blank(200, 200);
  for (auto& level : image.rgb) level = 120;
  Raster other = image;
  Flaws flaws;
  flaws.noise = 3.0F;
  flaws.seed = 5;
  add_noise(image, flaws);
  add_noise(other, flaws);
  CHECK(image.rgb == other.rgb);
  double sum = 0.0;
  double squares = 0.0;
  for (const auto level : image.rgb) {
    const double d = level - 120.0;
    sum += d;
    squares += d * d;
  }
  const auto count = static_cast<double>(image.rgb.size());
  CHECK(std::abs(sum / count) <= 0.06);  // deviation of the mean: 0.009
  CHECK(std::abs(std::sqrt(squares / count) - 3.0) <= 0.1);
}

TEST_CASE("Attitude errors have the deviations that the data set's description says") {
  double heading = 0.0;
  double pitch = 0.0;
  constexpr int kCount = 4000;
  for (int i = 0; i < kCount; ++i) {
    const Flaws flaws = random_flaws(static_cast<std::uint64_t>(i));
    heading += static_cast<double>(flaws.heading * flaws.heading);
    pitch += static_cast<double>(flaws.pitch * flaws.pitch);
    REQUIRE(length(flaws.lean) <= 0.12F);
    REQUIRE(flaws.jpeg_quality >= 60);
    REQUIRE(flaws.jpeg_quality <= 95);
  }
  const auto degrees = [&](double squares) { return std::sqrt(squares / kCount) * 180.0 / kPi; };
  CHECK(std::abs(degrees(heading) / kHeadingError - 1.0) <= 0.06);  // deviation 0.011
  CHECK(std::abs(degrees(pitch) / kTiltError - 1.0) <= 0.06);
}

}  // namespace crossfix::world
