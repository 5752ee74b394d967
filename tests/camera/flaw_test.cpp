// What no camera is made of, and the one line that says so.
#include "camera/cameras.hpp"
#include "io/files.hpp"

using namespace crossfix;
using namespace crossfix::camera;
using test::message_of;

namespace {

const double kNan = std::nan("");

template <class Model, class Parameters>
void refuses(const Parameters& parameters, const std::string& message) {
  CHECK(message_of<DataError>([&] { Model{parameters}; }) == "camera: " + message);
}

PinholeParameters pinhole() { return {480, 640, 500, 500, 320, 240}; }
FisheyeParameters fisheye() { return {800, 800, 300, 300, 400, 400}; }

}  // namespace

TEST_CASE("pinhole parameters with a flaw") {
  const auto with = [](auto change) {
    PinholeParameters p = pinhole();
    change(p);
    return p;
  };
  refuses<Pinhole>(with([](auto& p) { p.width = 0; }),
                   "width is 0; a number of pixels from 1 to 65536 is expected");
  refuses<Pinhole>(with([](auto& p) { p.height = 70000; }),
                   "height is 70000; a number of pixels from 1 to 65536 is expected");
  refuses<Pinhole>(with([](auto& p) { p.fx = -3; }),
                   "fx is -3; a focal length in pixels above 0 is expected");
  refuses<Pinhole>(with([](auto& p) { p.fy = kNan; }),
                   "fy is nan; a focal length in pixels above 0 is expected");
  refuses<Pinhole>(with([](auto& p) { p.fx = INFINITY; }),
                   "fx is inf; a focal length in pixels above 0 is expected");
  refuses<Pinhole>(with([](auto& p) { p.fy = 2 * p.fx; }),
                   "fy is 1000 and fx 500; two focal lengths in pixels, that differ by a factor of "
                   "1.5 at most, are expected");
  refuses<Pinhole>(
      with([](auto& p) { p.fx = p.fy = 24; }),
      "fx is 24, and 640 pixels would show 171.422 degrees; a focal length in pixels, not "
      "in millimetres, of a view below 170 degrees is expected");
  CHECK_NOTHROW(Pinhole(with([](auto& p) { p.fy = 1.4 * p.fx; })));
  CHECK_NOTHROW(Pinhole(with([](auto& p) { p.fx = p.fy = 29; })));
  refuses<Pinhole>(
      with([](auto& p) { p.cx = 1281; }),
      "cx is 1281; a coordinate in pixels in the image or beside it, from -640 to 1280, is "
      "expected");
  refuses<Pinhole>(
      with([](auto& p) { p.cy = kNan; }),
      "cy is nan; a coordinate in pixels in the image or beside it, from -480 to 960, is "
      "expected");
  refuses<Pinhole>(with([](auto& p) { p.distortion.p2 = kNan; }),
                   "distortion is nan; a finite coefficient is expected");
  refuses<Pinhole>(
      with([](auto& p) { p.distortion.k1 = -3; }),
      "distortion folds the image over 111.111 pixels from the principal point, inside "
      "of the image; coefficients of this model, in the order k1, k2, p1, p2, k3, k4, "
      "k5, k6, are expected");
}

TEST_CASE("fisheye parameters with a flaw") {
  FisheyeParameters p = fisheye();
  p.fy = 0;
  refuses<Fisheye>(p, "fy is 0; a focal length in pixels above 0 is expected");
  p = fisheye();
  p.k[3] = -INFINITY;
  refuses<Fisheye>(p, "distortion is -inf; a finite coefficient is expected");
  p = fisheye();
  p.k[0] = -1;
  refuses<Fisheye>(p,
                   "distortion folds the image over 115.47 pixels from the principal point, "
                   "inside of the image; coefficients of this model, k1, k2, k3, k4, are "
                   "expected");
}

TEST_CASE("panorama parameters with a flaw") {
  const std::string azimuths =
      "two angles within [-360, 360] degrees, the lower one first, at most 360 apart, are expected";
  refuses<Equirectangular>(EquirectangularParameters{100, 200, 10, 10},
                           "azimuth_deg is [10, 10]; " + azimuths);
  refuses<Equirectangular>(EquirectangularParameters{100, 200, -180, 200},
                           "azimuth_deg is [-180, 200]; " + azimuths);
  refuses<Cylindrical>(CylindricalParameters{100, 200, kNan, 180, 50, 50},
                       "azimuth_deg is [nan, 180]; " + azimuths);
  refuses<Equirectangular>(EquirectangularParameters{100, 200, -180, 180, -95, 90},
                           "elevation_deg is [-95, 90]; two angles within [-90, 90] degrees, the "
                           "lower one first, at most 180 apart, are expected");
  refuses<Cylindrical>(CylindricalParameters{100, 200},
                       "fy is 0; a focal length in pixels above 0 is expected");
}

TEST_CASE("mounts with a flaw") {
  const Camera camera = Pinhole(pinhole());
  const auto refuses_mount = [&](auto change, const std::string& message) {
    Mount mount;
    mount.height = 2;
    change(mount);
    CHECK(message_of<DataError>([&] { GroundCamera(camera, mount); }) == "camera: " + message);
  };
  const std::string height = "; a height above the ground in metres, from 0.1 to 200, is expected";
  refuses_mount([](Mount& m) { m.height = 0; }, "height_m is 0" + height);
  refuses_mount([](Mount& m) { m.height = 0.01; }, "height_m is 0.01" + height);
  refuses_mount([](Mount& m) { m.height = -1.5; }, "height_m is -1.5" + height);
  refuses_mount([](Mount& m) { m.height = kNan; }, "height_m is nan" + height);
  refuses_mount([](Mount& m) { m.height = 1600; }, "height_m is 1600" + height);
  refuses_mount([](Mount& m) { m.height_sigma = -1; },
                "height_sigma_m is -1; a standard deviation of at least 0 m and below the height "
                "is expected");
  refuses_mount([](Mount& m) { m.pitch_degrees = 90; },
                "pitch_deg is 90; an angle from -85 (down) to 85 (up) degrees is expected");
  refuses_mount([](Mount& m) { m.roll_degrees = kNan; },
                "roll_deg is nan; an angle from -180 to 180 (clockwise) degrees is expected");
  refuses_mount([](Mount& m) { m.roll_sigma_degrees = -2; },
                "roll_sigma_deg is -2; a standard deviation from 0 to 30 degrees is expected");
  refuses_mount([](Mount& m) { m.pitch_sigma_degrees = kNan; },
                "pitch_sigma_deg is nan; a standard deviation from 0 to 30 degrees is expected");
  refuses_mount(
      [](Mount& m) {
        m.heading = {true, 400, 0};
      },
      "heading_deg is 400; an angle from -360 to 360 degrees, clockwise from north, is "
      "expected");
  refuses_mount(
      [](Mount& m) {
        m.heading = {true, 40, 1000};
      },
      "heading_sigma_deg is 1000; a standard deviation from 0 to 180 degrees is expected");
}

TEST_CASE("fields of view that no camera has") {
  const auto message = [](Model model, Index height, Index width, double degrees) {
    return message_of<DataError>([&] { camera_of_field_of_view(model, height, width, degrees); });
  };
  CHECK(message(Model::kPinhole, 300, 400, 180) ==
        "camera: hfov_deg is 180; an angle from 1 to below 170 degrees is expected");
  CHECK(message(Model::kPinhole, 300, 400, 170) ==
        "camera: hfov_deg is 170; an angle from 1 to below 170 degrees is expected");
  CHECK_NOTHROW(camera_of_field_of_view(Model::kPinhole, 300, 400, 169.9));
  CHECK(message(Model::kPinhole, 300, 400, kNan) ==
        "camera: hfov_deg is nan; an angle from 1 to below 170 degrees is expected");
  CHECK(message(Model::kFisheye, 300, 400, 0) ==
        "camera: hfov_deg is 0; an angle from 1 to 360 degrees is expected");
  CHECK(message(Model::kCylindrical, 300, 400, 361) ==
        "camera: hfov_deg is 361; an angle from 1 to 360 degrees is expected");
  CHECK(message(Model::kEquirectangular, 300, 600, 90) ==
        "camera: hfov_deg is 90; 360 degrees, a whole panorama, is expected");
  CHECK(message(Model::kEquirectangular, 224, 1232, 360) ==
        "camera: height is 224 and width 1232; a whole panorama, twice as wide as high, or the "
        "elevations of its edges are expected");
  CHECK(message(Model::kPinhole, 0, 400, 60) ==
        "camera: height is 0; a number of pixels from 1 to 65536 is expected");
}

TEST_CASE("an image of another size") {
  const Camera camera = Pinhole(pinhole());
  CHECK_NOTHROW(check_image_size(camera, 480, 640));
  CHECK(message_of<DataError>([&] { check_image_size(camera, 960, 1280); }) ==
        "camera: its parameters are for an image of 640 x 480 pixels and the image has 1280 x 960; "
        "parameters of this size are expected (lengths in pixels grow with the image)");
}
