#include <algorithm>
#include <type_traits>

#include "camera/cameras.hpp"
#include "support/counter_generator.hpp"

using namespace crossfix;
using namespace crossfix::camera;
using test::angle_between;
using test::ray_at;
using test::some_cameras;

static_assert(std::is_trivially_copyable_v<Camera>);
static_assert(std::is_trivially_copyable_v<BasicCamera<float>>);
static_assert(std::is_trivially_copyable_v<BasicGroundCamera<float>>);
static_assert(std::is_trivially_copyable_v<MountedCamera>);

namespace {

constexpr int kSteps = 40;

/// Columns of a whole turn are one and the same at both ends.
double col_difference(const Camera& camera, double a, double b) {
  const double off = std::abs(a - b);
  const bool round = camera.field_of_view().horizontal == 360;
  return round ? std::min(off, static_cast<double>(camera.width()) - off) : off;
}

/// The largest distance between a pixel and where its own ray falls, over the image; counts what
/// has a ray.
template <class Real>
double worst_pixel(const BasicCamera<Real>& camera, const Camera& exact, int& valid) {
  double worst = 0;
  for (int i = 0; i <= kSteps; ++i) {
    for (int j = 0; j <= kSteps; ++j) {
      const Real row = static_cast<Real>(camera.height()) * Real(i) / kSteps;
      const Real col = static_cast<Real>(camera.width()) * Real(j) / kSteps;
      const auto seen = camera.unproject(row, col);
      if (!seen.valid) continue;
      ++valid;
      const auto again = camera.project(seen.ray);
      CAPTURE(row, col);
      REQUIRE(again.valid);
      // At the poles all columns are one.
      const bool pole = std::abs(seen.ray.y) > Real(0.9999);
      worst = std::max(worst, std::abs(static_cast<double>(again.row - row)));
      if (!pole) {
        worst = std::max(
            worst, col_difference(exact, static_cast<double>(again.col), static_cast<double>(col)));
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("pixels have rays, and rays their pixels") {
  for (const auto& [name, camera] : some_cameras()) {
    CAPTURE(name);
    int valid = 0;
    const double worst = worst_pixel(camera, camera, valid);
    // Some hundred roundings of pixels up to 4032: 1e-10 is a hundred times more.
    CHECK(worst <= 1e-10);
    CHECK(valid > 0.8 * (kSteps + 1) * (kSteps + 1));
    valid = 0;
    const double worst_single = worst_pixel(BasicCamera<float>(camera), camera, valid);
    // The same in float, whose epsilon is 5e8 times larger.
    CHECK(worst_single <= 0.005);
    CHECK(valid > 0.8 * (kSteps + 1) * (kSteps + 1));
  }
}

TEST_CASE("rays inside the image are found again") {
  for (const auto& [name, camera] : some_cameras()) {
    CAPTURE(name);
    int inside = 0;
    for (double azimuth = -179; azimuth < 180; azimuth += 3) {
      for (double elevation = -88; elevation < 90; elevation += 4) {
        const Ray ray = ray_at(azimuth, elevation);
        const Projection pixel = camera.project(ray);
        if (!pixel.inside) continue;
        ++inside;
        const Unprojection back = camera.unproject(pixel.row, pixel.col);
        REQUIRE(back.valid);
        CHECK(angle_between(back.ray, ray) <= 1e-11);
        CHECK(back.ray.x * back.ray.x + back.ray.y * back.ray.y + back.ray.z * back.ray.z ==
              Approx(1).epsilon(1e-12));
      }
    }
    CHECK(inside > 20);
  }
}

TEST_CASE("float projects as double does") {
  for (const auto& [name, camera] : some_cameras()) {
    CAPTURE(name);
    const BasicCamera<float> single(camera);
    CHECK(single.model() == camera.model());
    for (double azimuth = -179; azimuth < 180; azimuth += 5) {
      for (double elevation = -80; elevation < 85; elevation += 5) {
        const Ray ray = ray_at(azimuth, elevation);
        const Projection exact = camera.project(ray);
        if (!exact.inside) continue;
        const auto found = single.project(
            {static_cast<float>(ray.x), static_cast<float>(ray.y), static_cast<float>(ray.z)});
        REQUIRE(found.valid);
        // Some epsilons of float (6e-8) times the longest side, 4032, times the terms' sum.
        CHECK(std::abs(static_cast<double>(found.row) - exact.row) <= 0.002);
        CHECK(col_difference(camera, static_cast<double>(found.col), exact.col) <= 0.002);
      }
    }
  }
}

TEST_CASE("plain directions fall on plain pixels") {
  const Camera panorama = Equirectangular({180, 360});
  const auto check = [](const Projection& p, double row, double col) {
    CHECK(p.inside);
    CHECK(p.row == Approx(row).margin(1e-9));
    CHECK(p.col == Approx(col).margin(1e-9));
  };
  check(panorama.project({0, 0, 1}), 90, 180);  // forward: the middle
  check(panorama.project({1, 0, 0}), 90, 270);  // right is right of the middle
  check(panorama.project({-1, 0, 0}), 90, 90);
  check(panorama.project({0, 1, 1}), 135, 180);  // down is below
  check(panorama.project({0, 1, 0}), 180, 180);
  const Camera window = Equirectangular({100, 200, 90, 190, -50, 0});
  check(window.project(ray_at(90, 0)), 0, 0);
  check(window.project(ray_at(-170, -50)), 100, 200);
  CHECK_FALSE(window.project(ray_at(80, -10)).inside);
  CHECK_FALSE(window.project(ray_at(100, 10)).inside);
  CHECK(window.project(ray_at(100, 10)).valid);
  const Camera cylinder = Cylindrical({100, 360, -180, 180, 50, 40});
  check(cylinder.project({0, 1, 1}), 90, 180);
  check(cylinder.project({1, -0.5, 0}), 15, 270);
  CHECK_FALSE(cylinder.project({0, 1, 0}).valid);
  const Camera pinhole = Pinhole({100, 200, 50, 60, 90, 40});
  check(pinhole.project({0, 0, 3}), 40, 90);
  check(pinhole.project({1, 0.5, 1}), 70, 140);
  CHECK_FALSE(pinhole.project({0, 0, -1}).valid);
  CHECK_FALSE(pinhole.project({1, 0, 0}).valid);
  CHECK_FALSE(pinhole.project({3, 0, 1}).inside);
  const Camera fisheye = camera_of_field_of_view(Model::kFisheye, 200, 200, 200);
  check(fisheye.project({1, 0, 0}), 100, 190);  // 90 of 100 degrees
  check(fisheye.project(ray_at(-95, 0)), 100, 5);
  CHECK_FALSE(fisheye.project(ray_at(110, 0)).inside);
  CHECK_FALSE(fisheye.project({0, 0, -1}).valid);
}

TEST_CASE("beyond where the distortion is one to one nothing is seen") {
  // rho = r - 0.3 r^3 rises up to r = 1 / sqrt(0.9).
  const Pinhole barrel({400, 600, 400, 400, 300, 200, {-0.3, 0}});
  const double limit = 1 / std::sqrt(0.9);
  CHECK(barrel.largest_angle() == Approx(std::atan(limit) * kDegrees<double>).epsilon(1e-9));
  CHECK(barrel.project({0.999 * limit, 0, 1}).valid);
  CHECK_FALSE(barrel.project({1.001 * limit, 0, 1}).valid);
  // Without the limit this would fall on the principal point.
  CHECK_FALSE(barrel.project({std::sqrt(1 / 0.3), 0, 1}).valid);
  // The farthest pixel that is seen lies 2/3 of the limit away, and the corner farther.
  CHECK(barrel.unproject(200, 300 + 400 * 0.6666 * limit).valid);
  CHECK_FALSE(barrel.unproject(200, 300 + 400 * 0.6668 * limit).valid);
  CHECK_FALSE(barrel.unproject(0, 0).valid);
  // d = theta - 0.2 theta^3 rises up to theta = 1 / sqrt(0.6).
  const Fisheye fisheye({400, 600, 350, 350, 300, 200, {-0.2}});
  const double angle = 1 / std::sqrt(0.6);
  CHECK(fisheye.largest_angle() == Approx(angle * kDegrees<double>).epsilon(1e-9));
  CHECK(fisheye.project({std::sin(0.999 * angle), 0, std::cos(0.999 * angle)}).valid);
  CHECK_FALSE(fisheye.project({std::sin(1.001 * angle), 0, std::cos(1.001 * angle)}).valid);
  CHECK_FALSE(fisheye.unproject(0, 0).valid);
  CHECK(barrel.field_of_view().horizontal < 2 * barrel.largest_angle() + 1e-9);
}

TEST_CASE("any lens is one to one up to its limit") {
  std::uint64_t drawn = 0;
  const auto uniform = [&](double most) {
    return most * test::value(test::stream("lenses"), drawn++);
  };
  for (int lens = 0; lens < 400; ++lens) {
    BrownCoefficients c{uniform(0.6), uniform(0.4), uniform(0.03), uniform(0.03), uniform(0.3)};
    if (lens % 2 == 1) {
      c.k4 = uniform(0.4);
      c.k5 = uniform(0.3);
      c.k6 = uniform(0.2);
    }
    const BrownDistortion distortion(c);
    CAPTURE(c.k1, c.k2, c.p1, c.p2, c.k3, c.k4, c.k5, c.k6, distortion.limit());
    REQUIRE(distortion.limit() > 0.3);
    for (int i = 0; i < 50; ++i) {
      const double radius = std::min(distortion.limit(), 5.0) * 0.99 * (i + 1) / 50;
      const double turn = uniform(std::numbers::pi);
      const double x = radius * std::cos(turn);
      const double y = radius * std::sin(turn);
      BasicTangents<double> back{};
      REQUIRE(distortion.invert(distortion.apply(x, y), back));
      // Near the limit the distortion is flat, which magnifies roundings.
      CHECK(std::hypot(back.x - x, back.y - y) <= 1e-9 * (1 + radius));
    }
  }
}

TEST_CASE("fields of view") {
  const auto check = [](const Camera& camera, double horizontal, double vertical) {
    CHECK(camera.field_of_view().horizontal == Approx(horizontal));
    CHECK(camera.field_of_view().vertical == Approx(vertical));
  };
  check(Equirectangular({512, 1024}), 360, 180);
  check(Equirectangular({512, 1024, -30, 60, -50, 10}), 90, 60);
  check(camera_of_field_of_view(Model::kPinhole, 100, 200, 90), 90, 2 * 26.565051);
  check(camera_of_field_of_view(Model::kFisheye, 100, 200, 190), 190, 95);
  check(camera_of_field_of_view(Model::kCylindrical, 100, 200, 360), 360, 2 * 57.5184);
  // A crop right of the principal point: from 45 degrees to the arctangent of 3.
  check(Pinhole({100, 100, 50, 50, -50, 50}), 71.565051 - 45, 90);
}

TEST_CASE("cameras of a field of view alone") {
  const Camera pinhole = camera_of_field_of_view(Model::kPinhole, 300, 400, 60);
  CHECK(pinhole.project(ray_at(30, 0)).col == Approx(400));
  CHECK(pinhole.project(ray_at(-30, 0)).col == Approx(0).margin(1e-9));
  CHECK(pinhole.project({0, 0, 1}).row == 150);
  CHECK(pinhole.height() == 300);
  CHECK(pinhole.width() == 400);
  CHECK(camera_of_field_of_view(Model::kEquirectangular, 200, 400, 360).model() ==
        Model::kEquirectangular);
}
