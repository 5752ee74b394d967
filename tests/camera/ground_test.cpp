#include "crossfix/camera/ground.hpp"

#include "camera/cameras.hpp"
#include "crossfix/ops/ground.hpp"
#include "io/files.hpp"

using namespace crossfix;
using namespace crossfix::camera;
using test::message_of;
using test::some_cameras;

namespace {

/// 45 degrees from the middle to each edge.
Camera square() { return Pinhole({200, 200, 100, 100, 100, 100}); }

Mount mount(double height, double pitch = 0, double roll = 0) {
  Mount result;
  result.height = height;
  result.pitch_degrees = pitch;
  result.roll_degrees = roll;
  return result;
}

double elevation(const GroundCamera& ground, double row, double col) {
  return ground.elevation(row, col).value();
}

void check_point(const GroundPoint& point, double right, double forward) {
  CHECK(point.valid);
  CHECK(point.right == Approx(right).margin(1e-9));
  CHECK(point.forward == Approx(forward).margin(1e-9));
}

}  // namespace

TEST_CASE("a level camera sees ground below the horizon") {
  const GroundCamera ground(square(), mount(2));
  check_point(ground.ground_point(200, 100), 0,
              2);  // 45 degrees down: as far as the camera is high
  check_point(ground.ground_point(200, 200), 2, 2);
  check_point(ground.ground_point(150, 50), -2, 4);
  CHECK_FALSE(ground.ground_point(100, 100).valid);
  CHECK_FALSE(ground.ground_point(40, 100).valid);
  CHECK(ground.project(0, 2).row == Approx(200));
  CHECK(ground.project(2, 4).col == Approx(150));
  CHECK_FALSE(ground.project(0, -5).valid);
  // Twice as high, the same pixel shows ground twice as far away.
  CHECK(ground.project(0, 4, 4).row == Approx(200));
}

TEST_CASE("pitch is up, roll is clockwise as seen from behind") {
  const GroundCamera up(square(), mount(2, 10));
  CHECK(elevation(up, 100, 100) == Approx(10));
  CHECK(elevation(up, 0, 100) == Approx(55));
  const GroundCamera down(square(), mount(2, -45));
  CHECK(elevation(down, 100, 100) == Approx(-45));
  check_point(down.ground_point(100, 100), 0, 2);
  // Clockwise: the right side looks at the ground and the left side at the sky, and the horizon
  // rises to the right in the image.
  const GroundCamera rolled(square(), mount(2, 0, 10));
  CHECK(elevation(rolled, 100, 200) < -5);
  CHECK(elevation(rolled, 100, 0) > 5);
  CHECK(elevation(rolled, 100, 100) == Approx(0).margin(1e-9));
  CHECK(rolled.camera().project(Tilt(10, 0).camera({1, 2, 0})).row < 100);
  // On its right side, the camera's right is down.
  const GroundCamera on_its_side(square(), mount(2, 0, 90));
  check_point(on_its_side.ground_point(100, 200), 0, 2);
  // Pitch first, then roll about the forward axis, which stays.
  const GroundCamera both(square(), mount(2, -45, 30));
  check_point(both.ground_point(100, 100), 0, 2);
}

TEST_CASE("the level frame's directions") {
  const LevelRay forward = Tilt(20, 30).level({0, 0, 1});
  CHECK(forward.right == Approx(0).margin(1e-15));
  CHECK(forward.forward == Approx(std::cos(30 * kRadians<double>)));
  CHECK(forward.up == Approx(0.5));
  const LevelRay right = Tilt(90, 0).level({1, 0, 0});
  CHECK(right.up == Approx(-1));
  const Ray back = Tilt(20, 30).camera(Tilt(20, 30).level({0.3, -0.4, 0.5}));
  CHECK(back.x == Approx(0.3));
  CHECK(back.y == Approx(-0.4));
  CHECK(back.z == Approx(0.5));
}

TEST_CASE("headings are clockwise from north") {
  check_point(ground_point_of(3.0, 4.0, 0.0), 3, 4);
  check_point(ground_point_of(3.0, 4.0, 90.0), -4, 3);  // looking east, north is on the left
  check_point(ground_point_of(0.0, -2.0, 180.0), 0, 2);
  check_point(ground_point_of(-2.0, 0.0, -90.0), 0, 2);
  // What a panorama that looks east shows in its middle lies east.
  const GroundCamera ground(Equirectangular({512, 1024}), mount(2));
  const GroundPoint east = ground_point_of(5.0, 0.0, 90.0);
  CHECK(ground.project(east.right, east.forward).col == Approx(512));
  const GroundPoint south = ground_point_of(0.0, -5.0, 90.0);
  CHECK(ground.project(south.right, south.forward).col == Approx(768));
}

TEST_CASE("ground and pixels are inverses, however a camera stands") {
  for (const auto& [name, camera] : some_cameras()) {
    for (const Mount& stand : {mount(1.6), mount(2.5, -12, 4), mount(4, 6, -170)}) {
      CAPTURE(name, stand.pitch_degrees, stand.roll_degrees);
      const GroundCamera ground(camera, stand);
      for (int i = 0; i <= 20; ++i) {
        for (int j = 0; j <= 20; ++j) {
          const double row = static_cast<double>(camera.height()) * i / 20;
          const double col = static_cast<double>(camera.width()) * (j + 0.5) / 21;
          const GroundPoint point = ground.ground_point(row, col);
          if (!point.valid) continue;
          // At a panorama's own poles all columns are one.
          if (std::abs(camera.unproject(row, col).ray.y) > 0.999) continue;
          const double distance = std::hypot(point.right, point.forward);
          // Straight below, all azimuths are one; far away, a pixel is kilometres.
          if (distance < 1e-3 || distance > 1e3) continue;
          const Projection again = ground.project(point.right, point.forward);
          REQUIRE(again.valid);
          CHECK(std::abs(again.row - row) <= 1e-8);
          CHECK(std::abs(again.col - col) <= 1e-8);
        }
      }
    }
  }
}

TEST_CASE("a whole level panorama is what the matcher has sampled so far") {
  const GroundCamera ground(Equirectangular({512, 1024}), mount(2.6));
  for (double south = -12.3; south < 13; south += 1.7) {
    for (double east = -11.9; east < 13; east += 1.9) {
      const ops::PanoramaPoint shown = ops::panorama_point(
          static_cast<float>(south), static_cast<float>(east), 2.6f, 37, 512, 1024);
      const GroundPoint point = ground_point_of(east, -south, 37.0);
      const Projection found = ground.project(point.right, point.forward);
      // In float, and from the centre of the first pixel.
      CHECK(found.row - 0.5 == Approx(shown.row).margin(1e-3));
      CHECK(std::abs(std::remainder(found.col - 0.5 - double(shown.col), 1024)) <= 1e-3);
    }
  }
}

TEST_CASE("how much ground a camera sees") {
  const GroundSight all = sees_ground(Equirectangular({512, 1024}), mount(2), 0, 20);
  CHECK(all.nearest == 0);
  CHECK(all.azimuths == 1);
  // Its lower edge looks 45 degrees down: from 2 m on, over 90 of 360 degrees, both ends included.
  const GroundSight quarter = sees_ground(square(), mount(2), 0.5, 20);
  CHECK(quarter.nearest == Approx(2).epsilon(1e-6));
  CHECK(quarter.azimuths == Approx(91.0 / 360).margin(1.01 / 360));
  const GroundSight beyond = sees_ground(square(), mount(2), 5, 20);
  CHECK(beyond.nearest == 5);
  // A panorama whose lower part is cut away at 20 degrees below the horizon.
  const Camera cut = Equirectangular({100, 720, -180, 180, -20, 30});
  CHECK(sees_ground(cut, mount(2), 0, 20).nearest ==
        Approx(2 / std::tan(20 * kRadians<double>)).epsilon(1e-6));
  const GroundSight none = sees_ground(square(), mount(2, 60), 1, 20);
  CHECK(none.nearest == std::numeric_limits<double>::infinity());
  CHECK(none.azimuths == 0);
}

TEST_CASE("a camera that sees no ground is told of in a line") {
  CHECK_NOTHROW(check_sees_ground(square(), mount(2), 1, 20));
  CHECK(message_of<DataError>([] { check_sees_ground(square(), mount(1.6, 60), 1, 20); }) ==
        "camera: it sees no ground from 1 to 20 m: that lies at elevations from -58 to -4.6 "
        "degrees, and the camera, 1.6 m high, pitch 60, roll 0, sees from 12.2 to 89.4; another "
        "pitch (up is positive) or other distances are expected");
  CHECK_THROWS_AS(check_sees_ground(square(), mount(20), 1, 10), DataError);
  CHECK(message_of<DataError>([] { sees_ground(square(), mount(2), 5, 5); }) ==
        "ground from 5 to 5 m; two distances of at least 0, the lesser one first, are expected");
  CHECK_THROWS_AS(sees_ground(square(), mount(2), -1, 5), DataError);
  CHECK_THROWS_AS(sees_ground(square(), mount(2), 1, INFINITY), DataError);
}
