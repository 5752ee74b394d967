#include "flaws.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "world/plan/random.hpp"

namespace crossfix::world {

namespace {

constexpr float kPi = std::numbers::pi_v<float>;
constexpr float kDegree = kPi / 180.0F;
constexpr float kMostLean = 0.12F;

/// About normal, of variance 1: the sum of twelve uniform numbers (Irwin and Hall 1927).
float normal(Random& random) {
  float sum = -6.0F;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

struct Angle {
  float sine;
  float cosine;
  explicit Angle(float radians) : sine(std::sin(radians)), cosine(std::cos(radians)) {}
};

/// Bilinear sample at continuous (row, column); columns wrap around, rows end at the poles.
std::array<float, 3> sample(const Raster& image, float row, float column) {
  const float r = std::clamp(row - 0.5F, 0.0F, static_cast<float>(image.height - 1));
  const float c = column - 0.5F;
  const int r0 = std::min(floor_int(r), image.height - 1);
  const int r1 = std::min(r0 + 1, image.height - 1);
  const int c0 = floor_int(c);
  const float down = r - static_cast<float>(r0);
  const float right = c - static_cast<float>(c0);
  const auto pixel = [&](int y, int x) {
    x = (x % image.width + image.width) % image.width;
    return image.rgb.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                               static_cast<std::size_t>(x)) *
                                  3;
  };
  const std::array corner{pixel(r0, c0), pixel(r0, c0 + 1), pixel(r1, c0), pixel(r1, c0 + 1)};
  std::array<float, 3> colour{};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto level = [&](std::size_t i) { return static_cast<float>(corner[i][k]); };
    const float upper = level(0) + (level(1) - level(0)) * right;
    const float lower = level(2) + (level(3) - level(2)) * right;
    colour[k] = upper + (lower - upper) * down;
  }
  return colour;
}

}  // namespace

Flaws random_flaws(std::uint64_t key) {
  Random random = Random(key).child(9);
  Flaws flaws;
  flaws.heading = normal(random) * static_cast<float>(kHeadingError) * kDegree;
  flaws.pitch = normal(random) * static_cast<float>(kTiltError) * kDegree;
  flaws.roll = normal(random) * static_cast<float>(kTiltError) * kDegree;
  const Angle way(random.uniform(0.0F, 2.0F * kPi));
  flaws.lean = Vec2{way.cosine, way.sine} * random.uniform(0.0F, kMostLean);
  flaws.noise = random.uniform(0.5F, 4.0F);
  flaws.jpeg_quality = 60 + random.index(36);
  flaws.seed = random.bits();
  return flaws;
}

Raster turned(const Raster& panorama, const Flaws& flaws) {
  Raster image = Raster::blank(panorama.height, panorama.width);
  const Angle heading(flaws.heading);
  const Angle pitch(flaws.pitch);
  const Angle roll(flaws.roll);
  const auto height = static_cast<float>(image.height);
  const auto width = static_cast<float>(image.width);
  std::size_t at = 0;
  for (int r = 0; r < image.height; ++r) {
    const Angle elevation((0.5F - (static_cast<float>(r) + 0.5F) / height) * kPi);
    for (int c = 0; c < image.width; ++c) {
      const Angle azimuth(((static_cast<float>(c) + 0.5F) / width - 0.5F) * 2.0F * kPi);
      // In the frame of the camera: right, forward, up. Undo roll, then pitch, then heading.
      const Vec3 d{elevation.cosine * azimuth.sine, elevation.cosine * azimuth.cosine,
                   elevation.sine};
      const float right = d.x * roll.cosine + d.z * roll.sine;
      const float over = d.z * roll.cosine - d.x * roll.sine;
      const float forward = d.y * pitch.cosine - over * pitch.sine;
      const float up = over * pitch.cosine + d.y * pitch.sine;
      const float east = right * heading.cosine + forward * heading.sine;
      const float north = forward * heading.cosine - right * heading.sine;
      const float row = (0.5F - std::asin(std::clamp(up, -1.0F, 1.0F)) / kPi) * height;
      const float column = (std::atan2(east, north) / (2.0F * kPi) + 0.5F) * width;
      for (const float level : sample(panorama, row, column)) {
        image.rgb[at++] = static_cast<std::uint8_t>(level + 0.5F);
      }
    }
  }
  return image;
}

void add_noise(Raster& image, const Flaws& flaws) {
  constexpr float kScale = 1.4142136F;  // to variance 1
  Random random(flaws.seed);
  for (std::uint8_t& level : image.rgb) {
    // The sum of six uniform numbers of ten bits: variance 6 / 12.
    std::uint64_t bits = random.bits();
    int sum = 0;
    for (int i = 0; i < 6; ++i, bits >>= 10) sum += static_cast<int>(bits & 1023U);
    const float unit = (static_cast<float>(sum) / 1024.0F - 3.0F) * kScale;
    const float noisy = static_cast<float>(level) + unit * flaws.noise;
    level = static_cast<std::uint8_t>(std::clamp(noisy + 0.5F, 0.0F, 255.0F));
  }
}

}  // namespace crossfix::world
