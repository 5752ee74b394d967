#include "data/view.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "crossfix/core/error.hpp"
#include "data/choice.hpp"
#include "fixtures.hpp"
#include "support/counter_generator.hpp"

using namespace crossfix;
using camera::Camera;
using camera::Mount;

namespace {

using Vector = std::array<double, 3>;

constexpr double kPi = std::numbers::pi;

/// The colour of a direction (east, north, up).
Vector colour_of(const Vector& direction) {
  Vector colour{};
  for (std::size_t c = 0; c < 3; ++c) colour[c] = 127.5 + 100 * direction[c];
  return colour;
}

io::Image sphere(Index height) {
  io::Image panorama({height, 2 * height, 3});
  for (Index row = 0; row < height; ++row) {
    const double up = (0.5 - (static_cast<double>(row) + 0.5) / static_cast<double>(height)) * kPi;
    for (Index col = 0; col < 2 * height; ++col) {
      const double azimuth =
          ((static_cast<double>(col) + 0.5) / static_cast<double>(height) - 1) * kPi;
      const Vector colour = colour_of(
          {std::cos(up) * std::sin(azimuth), std::cos(up) * std::cos(azimuth), std::sin(up)});
      for (Index c = 0; c < 3; ++c) {
        panorama(row, col, c) =
            static_cast<std::uint8_t>(std::lround(colour[static_cast<std::size_t>(c)]));
      }
    }
  }
  return panorama;
}

/// Turns `v` about the unit vector `axis`, by the right hand, degrees (Rodrigues).
Vector turned(const Vector& v, const Vector& axis, double degrees) {
  const double s = std::sin(degrees / 180 * kPi);
  const double c = std::cos(degrees / 180 * kPi);
  const double along = axis[0] * v[0] + axis[1] * v[1] + axis[2] * v[2];
  const Vector across = {axis[1] * v[2] - axis[2] * v[1], axis[2] * v[0] - axis[0] * v[2],
                         axis[0] * v[1] - axis[1] * v[0]};
  Vector out{};
  for (std::size_t i = 0; i < 3; ++i) {
    out[i] = c * v[i] + s * across[i] + (1 - c) * along * axis[i];
  }
  return out;
}

/// A camera's axes as (east, north, up), turned one after the other.
struct Axes {
  Vector right{1, 0, 0};
  Vector forward{0, 1, 0};
  Vector up{0, 0, 1};

  void turn(Vector axis, double degrees) {
    for (Vector* own : {&right, &forward, &up}) *own = turned(*own, axis, degrees);
  }
  explicit Axes(const Mount& mount) {
    turn(up, -mount.heading.degrees);   // clockwise from above
    turn(right, mount.pitch_degrees);   // forward goes up
    turn(forward, mount.roll_degrees);  // right goes down
  }
  Vector direction(const camera::Ray& ray) const {
    Vector out{};
    for (std::size_t i = 0; i < 3; ++i) {
      out[i] = ray.x * right[i] - ray.y * up[i] + ray.z * forward[i];
    }
    return out;
  }
};

Mount mount_of(double heading, double pitch, double roll) {
  return {.height = 2,
          .roll_degrees = roll,
          .pitch_degrees = pitch,
          .heading = {.known = true, .degrees = heading}};
}

std::vector<Camera> cameras() {
  using namespace camera;
  const auto of = [](Model model, Index height, Index width, double degrees) {
    return camera_of_field_of_view(model, height, width, degrees);
  };
  PinholeParameters lens = pinhole_of_field_of_view(60, 80, 90);
  lens.distortion = {.k1 = -0.2, .k2 = 0.05, .p1 = 1e-3, .p2 = -1e-3};
  return {of(Model::kEquirectangular, 64, 128, 360),
          of(Model::kPinhole, 60, 80, 90),
          of(Model::kPinhole, 48, 64, 120),
          Pinhole(lens),
          of(Model::kFisheye, 64, 64, 180),
          of(Model::kCylindrical, 64, 200, 360),
          Equirectangular({.height = 40,
                           .width = 100,
                           .azimuth_begin = 20,
                           .azimuth_end = 200,
                           .elevation_begin = -60,
                           .elevation_end = 12})};
}

double largest_difference(const io::Image& a, const io::Image& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i]) - b.data()[i]));
  }
  return largest;
}

}  // namespace

TEST_CASE("each pixel of a view shows its direction, whatever the camera and its tilt") {
  const io::Image panorama = sphere(512);
  for (const Camera& camera : cameras()) {
    for (const Mount& mount : {mount_of(0, 0, 0), mount_of(75, 0, 0), mount_of(0, 20, 0),
                               mount_of(0, 0, 30), mount_of(-160, -25, 10)}) {
      CAPTURE(static_cast<int>(camera.model()), mount.heading.degrees, mount.pitch_degrees);
      const io::Image view = data::draw_view(panorama, camera, mount);
      REQUIRE(view.shape() == Shape<3>{camera.height(), camera.width(), 3});
      const Axes axes(mount);
      double worst = 0;
      for (Index row = 0; row < camera.height(); ++row) {
        for (Index col = 0; col < camera.width(); ++col) {
          const auto seen =
              camera.unproject(static_cast<double>(row) + 0.5, static_cast<double>(col) + 0.5);
          if (!seen.valid) continue;
          const Vector colour = colour_of(axes.direction(seen.ray));
          for (Index c = 0; c < 3; ++c) {
            worst =
                std::max(worst, std::abs(view(row, col, c) - colour[static_cast<std::size_t>(c)]));
          }
        }
      }
      // Both images are rounded, by half a level each; the rest is what a colour is off its mean
      // over a pixel of 3 degrees.
      CHECK(worst <= 1.1);
    }
  }
}

TEST_CASE("a level view of the panorama's own size is the panorama") {
  const io::Image panorama = test::image("panorama", 64, 128);
  const Camera whole = camera::Equirectangular({64, 128});
  CHECK(largest_difference(data::draw_view(panorama, whole, mount_of(0, 0, 0)), panorama) == 0);
  // Without a heading it looks north.
  CHECK(largest_difference(data::draw_view(panorama, whole, {.height = 2}), panorama) == 0);
}

TEST_CASE("a view that is turned back is the panorama again") {
  const io::Image panorama = sphere(128);
  const Camera whole = camera::Equirectangular({128, 256});
  for (const auto& [there, back] : {std::pair{mount_of(33, 0, 0), mount_of(-33, 0, 0)},
                                    {mount_of(0, 20, 0), mount_of(0, -20, 0)},
                                    {mount_of(0, 0, 40), mount_of(0, 0, -40)}}) {
    const io::Image view = data::draw_view(panorama, whole, there);
    CHECK(largest_difference(view, panorama) > 30);
    // Both are rounded, and the first is taken for smooth between its pixels.
    CHECK(largest_difference(data::draw_view(view, whole, back), panorama) <= 2);
  }
}

TEST_CASE("views go on across the seam") {
  const io::Image panorama = test::image("panorama", 64, 128);
  io::Image behind = panorama.clone();
  data::roll(behind, 64);
  for (const Camera& camera : cameras()) {
    const io::Image view = data::draw_view(panorama, camera, mount_of(180, 5, 3));
    // A sample that lies between two levels may round to either.
    CHECK(largest_difference(view, data::draw_view(behind, camera, mount_of(0, 5, 3))) <= 1);
  }
}

TEST_CASE("a view is black outside of its lens") {
  io::Image white({32, 64, 3});
  std::fill_n(white.data(), white.size(), std::uint8_t{255});
  const Camera fisheye = camera::camera_of_field_of_view(camera::Model::kFisheye, 90, 90, 360);
  const io::Image view = data::draw_view(white, fisheye, mount_of(10, 5, 0));
  for (Index row = 0; row < 90; ++row) {
    for (Index col = 0; col < 90; ++col) {
      const double from =
          std::hypot(static_cast<double>(row) - 44.5, static_cast<double>(col) - 44.5);
      if (from < 44) CHECK(view(row, col, 1) == 255);
      if (from > 46) CHECK(view(row, col, 1) == 0);
    }
  }
}

TEST_CASE("what is finer than a view's pixels is averaged, not sampled") {
  io::Image stripes({128, 256, 3});
  for (Index i = 0; i < stripes.size(); ++i) stripes.data()[i] = i / 3 % 2 == 0 ? 0 : 255;
  const io::Image view =
      data::draw_view(stripes, camera::Equirectangular({64, 128}), mount_of(0, 0, 0));
  for (Index i = 0; i < view.size(); ++i) CHECK(std::abs(view.data()[i] - 127.5) <= 1);
}

TEST_CASE("views of what is no whole panorama are refused") {
  const io::Image square({64, 64, 3});
  CHECK_THROWS_WITH(data::draw_view(square, cameras().front(), mount_of(0, 0, 0)),
                    Catch::Contains("64x64") && Catch::Contains("twice as wide as high"));
}

TEST_CASE("the draws are those of training/crossfix_training/views.py") {
  std::ifstream file(test::data_tests() / "golden/view_draws.txt");
  std::size_t lines = 0;
  data::ViewChoice choice;
  choice.camera = {cameras().front(), mount_of(0, 0, 0)};
  for (std::string line; std::getline(file, line); ++lines) {
    CAPTURE(line);
    std::istringstream fields(line);
    data::HeadingNoise noise;
    double heading = 0;
    double pitch = 0;
    double roll = 0;
    std::string ground;
    REQUIRE(
        (fields >> noise.degrees >> noise.seed >> choice.tilt_degrees >> heading >> pitch >> roll));
    std::getline(fields >> std::ws, ground);
    const Mount mount = data::drawn_mount(choice, noise, ground);
    CHECK(std::abs(mount.heading.degrees - heading) <= 1e-11);
    CHECK(std::abs(mount.pitch_degrees - pitch) <= 1e-12);
    CHECK(std::abs(mount.roll_degrees - roll) <= 1e-12);
  }
  CHECK(lines == 4 * 21);  // of 20 panoramas, and of a name beyond ASCII
}

TEST_CASE("tilts are normal about the mount's own, pitch and roll apart") {
  constexpr int kDraws = 4000;
  data::ViewChoice choice;
  choice.camera = {cameras().front(), mount_of(0, -10, 4)};
  choice.tilt_degrees = 3;
  double sums[5] = {};
  for (int i = 0; i < kDraws; ++i) {
    const Mount mount = data::drawn_mount(choice, {180, 1}, "City/panorama/" + std::to_string(i));
    const double pitch = (mount.pitch_degrees + 10) / 3;
    const double roll = (mount.roll_degrees - 4) / 3;
    const double terms[] = {pitch, roll, pitch * pitch, roll * roll, pitch * roll};
    for (int k = 0; k < 5; ++k) sums[k] += terms[k] / kDraws;
  }
  // Four standard deviations of the means of as many normal numbers, their squares and products.
  const double mean = 4 / std::sqrt(kDraws);
  for (const int k : {0, 1, 4}) CHECK(std::abs(sums[k]) <= mean);
  for (const int k : {2, 3}) CHECK(std::abs(sums[k] - 1) <= std::sqrt(2.0) * mean);
}

TEST_CASE("weights are told the tilt, its deviation or nothing, and how sure the heading is") {
  data::ViewChoice choice;
  Mount own = mount_of(0, -10, 0);
  own.pitch_sigma_degrees = 4;
  choice.camera = {cameras().front(), own};
  choice.tilt_degrees = 3;
  const std::string name = "City/panorama/1";
  const Mount drawn = data::drawn_mount(choice, {45, 1}, name);
  Mount told = data::told_mount(choice, {45, 1}, name);
  CHECK(told.pitch_degrees == -10);
  CHECK(told.pitch_sigma_degrees == Approx(5));
  CHECK(told.roll_sigma_degrees == Approx(3));
  CHECK(told.heading.known);
  CHECK(told.heading.degrees == 0);
  CHECK(told.heading.sigma_degrees == Approx(45 / std::sqrt(3.0)));
  choice.told = data::TiltTold::truth;
  told = data::told_mount(choice, {180, 1}, name);
  CHECK(told.pitch_degrees == drawn.pitch_degrees);
  CHECK(told.roll_degrees == drawn.roll_degrees);
  CHECK(told.pitch_sigma_degrees == 4);
  CHECK_FALSE(told.heading.known);
  choice.told = data::TiltTold::none;
  told = data::told_mount(choice, {}, name);
  CHECK(told.pitch_degrees == -10);
  CHECK(told.roll_degrees == 0);
  CHECK(told.roll_sigma_degrees == 0);
  CHECK(told.heading.known);
  CHECK(told.heading.sigma_degrees == 0);
}

TEST_CASE("settings and words have a choice's views, and what is none is refused") {
  const test::ScratchFolder folder;
  const auto file = folder / "camera.yaml";
  test::write_text(file, "model: pinhole\nwidth: 64\nheight: 48\nhfov_deg: 90\nheight_m: 2\n");
  data::DatasetChoice choice;
  choice.root = test::vigor_fixture();
  CHECK_FALSE(choice.settings().contains("camera"));
  choice.view.read_camera(file);
  const auto level = choice.settings();
  CHECK(level.at("camera").get<std::string>().starts_with("pinhole, 64 x 48 pixels, 90 degrees"));
  CHECK_FALSE(level.contains("heading_seed"));
  choice.view.tilt_degrees = 2;
  CHECK(choice.settings().at("tilt") == 2);
  CHECK(choice.settings().at("tilt_told") == "deviation");
  CHECK(choice.settings().contains("heading_seed"));
  CHECK(choice.description().find("tilted by 2 degrees") != std::string::npos);
  test::write_text(file, "model: pinhole\nwidth: 64\nheight: 48\nhfov_deg: 90\nheight_m: 3\n");
  choice.view.read_camera(file);
  CHECK(choice.settings().at("camera") != level.at("camera"));
  for (const double tilt : {-1.0, 46.0, std::numeric_limits<double>::quiet_NaN()}) {
    choice.view.tilt_degrees = tilt;
    CHECK_THROWS_WITH(choice.read(), Catch::Contains("0 to 45 degrees"));
  }
  choice.view.tilt_degrees = 2;
  choice.kind = data::DatasetKind::robotcar;
  choice.root = test::robotcar_fixture();
  CHECK_THROWS_WITH(choice.read(), Catch::Contains("--camera draws views of panoramas"));
}
