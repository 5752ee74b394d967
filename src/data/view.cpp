#include "view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "crossfix/core/error.hpp"

namespace crossfix::data {
namespace {

using std::numbers::pi;

/// The most samples of a pixel along each axis.
constexpr int kMostSamples = 8;
/// A pixel may be so many panorama pixels wider than one of them, and still have one sample.
constexpr double kSampleTolerance = 0.1;
/// As the localizer has it.
constexpr double kAspectTolerance = 0.01;

double angle_between(const camera::Ray& a, const camera::Ray& b) {
  const double across =
      std::hypot(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
  return std::atan2(across, a.x * b.x + a.y * b.y + a.z * b.z);
}

/// Samples of a pixel along each axis: as many as the panorama's pixels that it is wide, in the
/// middle of the image, where a lens without distortion is coarsest.
int samples_along(const camera::Camera& camera, io::ImageView panorama) {
  const double row = static_cast<double>(camera.height()) / 2;
  const double col = static_cast<double>(camera.width()) / 2;
  const auto middle = camera.unproject(row, col);
  const auto below = camera.unproject(row + 1, col);
  const auto right = camera.unproject(row, col + 1);
  if (!middle.valid || !below.valid || !right.valid) return 1;
  const double widest =
      std::max(angle_between(middle.ray, below.ray), angle_between(middle.ray, right.ray));
  const double own = std::min(pi / static_cast<double>(panorama.extent(0)),
                              2 * pi / static_cast<double>(panorama.extent(1)));
  return std::clamp(static_cast<int>(std::ceil(widest / own - kSampleTolerance)), 1, kMostSamples);
}

/// A whole panorama, sampled by direction.
class Sphere {
 public:
  Sphere(io::ImageView panorama, double heading_degrees)
      : panorama_(panorama),
        columns_per_radian_(static_cast<double>(panorama.extent(1)) / (2 * pi)),
        rows_per_radian_(static_cast<double>(panorama.extent(0)) / pi),
        heading_(heading_degrees * camera::kRadians<double>) {}

  void add(const camera::LevelRay& ray, std::array<double, 3>& sum) const {
    const double azimuth = heading_ + std::atan2(ray.right, ray.forward);
    const double elevation =
        std::atan2(ray.up, std::sqrt(ray.right * ray.right + ray.forward * ray.forward));
    const Index height = panorama_.extent(0);
    const Index width = panorama_.extent(1);
    const double row = (pi / 2 - elevation) * rows_per_radian_ - 0.5;
    const double col = (pi + azimuth) * columns_per_radian_ - 0.5;
    const double first_row = std::floor(row);
    const double first_col = std::floor(col);
    const double lower = row - first_row;
    const double right = col - first_col;
    const auto i = static_cast<Index>(first_row);
    const Index above = std::clamp<Index>(i, 0, height - 1);
    const Index below = std::clamp<Index>(i + 1, 0, height - 1);
    const Index j = ((static_cast<Index>(first_col) % width) + width) % width;
    const Index next = j + 1 == width ? 0 : j + 1;
    const std::uint8_t* const corners[] = {&panorama_(above, j, 0), &panorama_(above, next, 0),
                                           &panorama_(below, j, 0), &panorama_(below, next, 0)};
    const double shares[] = {(1 - lower) * (1 - right), (1 - lower) * right, lower * (1 - right),
                             lower * right};
    for (std::size_t corner = 0; corner < 4; ++corner) {
      for (std::size_t c = 0; c < 3; ++c) sum[c] += shares[corner] * corners[corner][c];
    }
  }

 private:
  io::ImageView panorama_;
  double columns_per_radian_;
  double rows_per_radian_;
  double heading_;
};

}  // namespace

io::Image draw_view(io::ImageView panorama, const camera::Camera& camera,
                    const camera::Mount& mount) {
  const auto width = static_cast<double>(panorama.extent(1));
  const auto height = static_cast<double>(panorama.extent(0));
  if (panorama.empty() || panorama.extent(2) != 3 ||
      std::abs(width - 2 * height) > kAspectTolerance * width) {
    throw ImageError("the ground image is " + std::to_string(panorama.extent(1)) + "x" +
                     std::to_string(panorama.extent(0)) +
                     " pixels; views are drawn from whole panoramas, twice as wide as high");
  }
  const int along = samples_along(camera, panorama);
  const camera::Tilt tilt(mount.roll_degrees, mount.pitch_degrees);
  const Sphere sphere(panorama, mount.heading.known ? mount.heading.degrees : 0);
  io::Image view({camera.height(), camera.width(), 3});
  for (Index row = 0; row < camera.height(); ++row) {
    for (Index col = 0; col < camera.width(); ++col) {
      std::array<double, 3> sum{};
      int count = 0;
      for (int i = 0; i < along; ++i) {
        for (int j = 0; j < along; ++j) {
          const auto seen = camera.unproject(static_cast<double>(row) + (i + 0.5) / along,
                                             static_cast<double>(col) + (j + 0.5) / along);
          if (!seen.valid) continue;
          sphere.add(tilt.level(seen.ray), sum);
          ++count;
        }
      }
      for (Index c = 0; c < 3; ++c) {
        const double mean = sum[static_cast<std::size_t>(c)] / std::max(count, 1);
        view(row, col, c) = static_cast<std::uint8_t>(mean + 0.5);
      }
    }
  }
  return view;
}

}  // namespace crossfix::data
