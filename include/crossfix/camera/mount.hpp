#pragma once

#include <cmath>

#include "crossfix/camera/flaw.hpp"
#include "crossfix/camera/ray.hpp"

namespace crossfix::camera {

/// What a camera's forward axis looks at, seen from above: a panorama's centre column.
struct Heading {
  bool known = false;
  double degrees = 0;        ///< clockwise from north
  double sigma_degrees = 0;  ///< standard deviation; 0: exact
};

/// How a camera stands over flat ground. The camera is turned by the heading first, then pitched,
/// then rolled about its own forward axis. Standard deviations of 0 say that a value is exact.
struct Mount {
  double height = 0;        ///< metres above the ground
  double height_sigma = 0;  ///< metres
  /// Clockwise as seen from behind the camera is positive: its right side goes down.
  double roll_degrees = 0;
  double roll_sigma_degrees = 0;
  double pitch_degrees = 0;  ///< up is positive: forward looks above the horizon
  double pitch_sigma_degrees = 0;
  Heading heading{};
};

/// Heights beyond these are in other units, or not of cameras in streets.
inline constexpr double kLowestMount = 0.1;
inline constexpr double kHighestMount = 200;
/// Closer to straight up and down a heading means little.
inline constexpr double kSteepestPitch = 85;
/// Largest standard deviation of roll and pitch, degrees: who knows less knows nothing of the tilt.
inline constexpr double kLargestTiltSigma = 30;

inline std::optional<Flaw> flaw_of(const Mount& m) {
  if (!(m.height >= kLowestMount && m.height <= kHighestMount)) {
    return detail::flaw_of_value("height_m", m.height,
                                 "a height above the ground in metres, from " +
                                     detail::shown(kLowestMount) + " to " +
                                     detail::shown(kHighestMount) + ",");
  }
  if (!(std::abs(m.pitch_degrees) <= kSteepestPitch)) {
    const std::string most = detail::shown(kSteepestPitch);
    return detail::flaw_of_value("pitch_deg", m.pitch_degrees,
                                 "an angle from -" + most + " (down) to " + most + " (up) degrees");
  }
  if (!(std::abs(m.roll_degrees) <= 180)) {
    return detail::flaw_of_value("roll_deg", m.roll_degrees,
                                 "an angle from -180 to 180 (clockwise) degrees");
  }
  if (m.heading.known && !(std::abs(m.heading.degrees) <= 360)) {
    return detail::flaw_of_value("heading_deg", m.heading.degrees,
                                 "an angle from -360 to 360 degrees, clockwise from north,");
  }
  if (!(m.height_sigma >= 0 && m.height_sigma < m.height)) {
    return detail::flaw_of_value("height_sigma_m", m.height_sigma,
                                 "a standard deviation of at least 0 m and below the height");
  }
  for (const auto& [key, sigma] : {std::pair{"roll_sigma_deg", m.roll_sigma_degrees},
                                   {"pitch_sigma_deg", m.pitch_sigma_degrees},
                                   {"heading_sigma_deg", m.heading.sigma_degrees}}) {
    const double most = key == std::string_view("heading_sigma_deg") ? 180 : kLargestTiltSigma;
    if (!(sigma >= 0 && sigma <= most)) {
      return detail::flaw_of_value(
          key, sigma, "a standard deviation from 0 to " + detail::shown(most) + " degrees");
    }
  }
  return {};
}

/// A direction in the level frame: that of the ground at the camera's foot, turned to the heading.
/// At heading 0 right, forward and up are east, north and up.
template <class Real>
struct BasicLevelRay {
  Real right = 0;
  Real forward = 0;
  Real up = 0;
};
using LevelRay = BasicLevelRay<double>;

/// The turn between the camera frame and the level frame.
template <class Real>
class BasicTilt {
 public:
  /// Host. A level camera's x, y, z are right, down, forward.
  BasicTilt(double roll_degrees, double pitch_degrees) {
    const double sr = std::sin(roll_degrees * kRadians<double>);
    const double cr = std::cos(roll_degrees * kRadians<double>);
    const double sp = std::sin(pitch_degrees * kRadians<double>);
    const double cp = std::cos(pitch_degrees * kRadians<double>);
    // Rows are right, forward, up; columns the camera's x, y, z.
    const double turn[3][3] = {{cr, -sr, 0}, {sr * sp, cr * sp, cp}, {-sr * cp, -cr * cp, sp}};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) turn_[i][j] = static_cast<Real>(turn[i][j]);
    }
  }

  CROSSFIX_HOST_DEVICE BasicLevelRay<Real> level(const BasicRay<Real>& ray) const {
    return {turn_[0][0] * ray.x + turn_[0][1] * ray.y + turn_[0][2] * ray.z,
            turn_[1][0] * ray.x + turn_[1][1] * ray.y + turn_[1][2] * ray.z,
            turn_[2][0] * ray.x + turn_[2][1] * ray.y + turn_[2][2] * ray.z};
  }
  CROSSFIX_HOST_DEVICE BasicRay<Real> camera(const BasicLevelRay<Real>& ray) const {
    return {turn_[0][0] * ray.right + turn_[1][0] * ray.forward + turn_[2][0] * ray.up,
            turn_[0][1] * ray.right + turn_[1][1] * ray.forward + turn_[2][1] * ray.up,
            turn_[0][2] * ray.right + turn_[1][2] * ray.forward + turn_[2][2] * ray.up};
  }

 private:
  Real turn_[3][3];
};
using Tilt = BasicTilt<double>;

}  // namespace crossfix::camera
