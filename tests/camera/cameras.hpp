/// Cameras and rays that the tests of this folder share.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/camera/ground.hpp"

namespace crossfix::test {

/// One of each model and more: whole, windowed, distorted, off centre.
inline std::vector<std::pair<std::string, camera::Camera>> some_cameras() {
  using namespace camera;
  CylindricalParameters off_centre = square_cylinder(300, 1000, -100, 80);
  off_centre.cy = 210;
  return {
      {"whole panorama", Equirectangular({512, 1024})},
      {"window of a panorama", Equirectangular({300, 500, -40, 75, -55, 20})},
      {"window across the back", Equirectangular({300, 500, 120, 250, -60, -5})},
      {"whole cylinder", Cylindrical(square_cylinder(400, 2000, -180, 180))},
      {"window of a cylinder", Cylindrical(off_centre)},
      {"pinhole", Pinhole({480, 640, 500, 510, 320, 240})},
      {"phone", Pinhole({3024,
                         4032,
                         3024.1,
                         3019.8,
                         2010.3,
                         1498.2,
                         {0.1267, -0.4612, 0.0004, -0.0011, 0.4903}})},
      {"barrel", Pinhole({1080, 1920, 1150, 1155, 958, 541, {-0.2613, 0.0772, 0.0006, -0.0003}})},
      {"rational", Pinhole({720,
                            1280,
                            609.8,
                            609.6,
                            637.2,
                            365.5,
                            {0.5372, -2.6411, 0.0009, -0.0002, 1.5163, 0.4165, -2.4645, 1.4438}})},
      {"equidistant fisheye", Fisheye({1024, 1024, 320, 320, 512, 512})},
      {"fisheye",
       Fisheye({800, 848, 284.9, 286.1, 425.2, 398.5, {-0.0068, 0.0402, -0.0391, 0.0072}})},
  };
}

/// The angle between two rays, radians; exact for small ones too.
template <class Real>
double angle_between(const camera::BasicRay<Real>& a, const camera::BasicRay<Real>& b) {
  const double x = double(a.y) * double(b.z) - double(a.z) * double(b.y);
  const double y = double(a.z) * double(b.x) - double(a.x) * double(b.z);
  const double z = double(a.x) * double(b.y) - double(a.y) * double(b.x);
  const double along =
      double(a.x) * double(b.x) + double(a.y) * double(b.y) + double(a.z) * double(b.z);
  return std::atan2(std::sqrt(x * x + y * y + z * z), along);
}

/// Degrees to a ray of the camera frame: azimuth clockwise from forward, elevation up.
inline camera::Ray ray_at(double azimuth, double elevation) {
  const double a = azimuth * camera::kRadians<double>;
  const double e = elevation * camera::kRadians<double>;
  return {std::cos(e) * std::sin(a), -std::sin(e), std::cos(e) * std::cos(a)};
}

}  // namespace crossfix::test
