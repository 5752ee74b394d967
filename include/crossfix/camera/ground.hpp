#pragma once

#include <algorithm>
#include <string>

#include "crossfix/camera/camera.hpp"

/// Flat ground as a mounted camera sees it.
namespace crossfix::camera {

/// A point on the ground in the level frame: metres from the camera's foot, the point of the ground
/// below it. At heading 0 right is east and forward is north.
template <class Real>
struct BasicGroundPoint {
  Real right = 0;
  Real forward = 0;
  bool valid = false;  ///< the pixel shows ground: its ray points below the horizon
};
using GroundPoint = BasicGroundPoint<double>;

/// The point (east, north) metres from the foot of a camera of that heading, degrees clockwise from
/// north, in the level frame.
template <class Real>
CROSSFIX_HOST_DEVICE BasicGroundPoint<Real> ground_point_of(Real east, Real north,
                                                            Real heading_degrees) {
  const Real sine = std::sin(heading_degrees * kRadians<Real>);
  const Real cosine = std::cos(heading_degrees * kRadians<Real>);
  return {east * cosine - north * sine, east * sine + north * cosine, true};
}

/// A camera at its height, roll and pitch: the pixels of ground, and the ground of pixels. It
/// copies as bytes; headings are the caller's (ground_point_of).
template <class Real>
class BasicGroundCamera {
 public:
  /// Throws DataError for a mount with a flaw. Host.
  BasicGroundCamera(const Camera& camera, const Mount& mount)
      : camera_(camera),
        tilt_(mount.roll_degrees, mount.pitch_degrees),
        height_(static_cast<Real>(mount.height)) {
    refuse(flaw_of(mount));
  }

  CROSSFIX_HOST_DEVICE const BasicCamera<Real>& camera() const { return camera_; }

  /// Where the image shows a point on the ground, metres in the level frame.
  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(Real right, Real forward) const {
    return camera_.project(tilt_.camera({right, forward, -height_}));
  }
  /// The same for a camera `height` metres above the ground instead of the mount's.
  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(Real right, Real forward, Real height) const {
    return camera_.project(tilt_.camera({right, forward, -height}));
  }

  /// The point on the ground that a pixel shows.
  CROSSFIX_HOST_DEVICE BasicGroundPoint<Real> ground_point(Real row, Real col) const {
    const BasicUnprojection<Real> seen = camera_.unproject(row, col);
    if (!seen.valid) return {};
    const BasicLevelRay<Real> ray = tilt_.level(seen.ray);
    if (!(ray.up < -kLeastSlope)) return {};
    const Real length = height_ / -ray.up;
    return {ray.right * length, ray.forward * length, true};
  }

  /// Elevation of the direction that a pixel shows, degrees above the horizon. Host.
  std::optional<double> elevation(Real row, Real col) const {
    const BasicUnprojection<Real> seen = camera_.unproject(row, col);
    if (!seen.valid) return {};
    const BasicLevelRay<Real> ray = tilt_.level(seen.ray);
    const auto up = static_cast<double>(ray.up);
    return std::asin(std::clamp(up, -1.0, 1.0)) * kDegrees<double>;
  }

 private:
  /// Rays nearer to the horizon meet the ground too far away to be told, thousands of heights.
  static constexpr Real kLeastSlope = Real(1e-5);

  BasicCamera<Real> camera_;
  BasicTilt<Real> tilt_;
  Real height_;
};
using GroundCamera = BasicGroundCamera<double>;

/// What a camera sees of the ground between two distances.
struct GroundSight {
  /// Metres from the foot; infinity where none is seen.
  double nearest = std::numeric_limits<double>::infinity();
  /// The share of all azimuths at which some of that ground is seen: 1 for a panorama.
  double azimuths = 0;
};

/// Looks for the ground between `nearest` and `farthest` metres from the foot, at every degree of
/// azimuth. Throws DataError for distances that are not 0 <= nearest < farthest, and for a mount
/// with a flaw.
inline GroundSight sees_ground(const Camera& camera, const Mount& mount, double nearest,
                               double farthest) {
  if (!(nearest >= 0 && nearest < farthest && std::isfinite(farthest))) {
    throw DataError("ground from " + detail::shown(nearest) + " to " + detail::shown(farthest) +
                    " m; two distances of at least 0, the lesser one first, are expected");
  }
  constexpr int kAzimuths = 360;
  constexpr int kSteps = 96;
  constexpr int kHalvings = 30;
  const GroundCamera ground(camera, mount);
  // Even steps of the angle from straight down, as images have them.
  const double first = std::atan2(nearest, mount.height);
  const double last = std::atan2(farthest, mount.height);
  const auto distance = [&](int step) {
    const double angle = first + (last - first) * step / kSteps;
    return std::clamp(mount.height * std::tan(angle), nearest, farthest);
  };
  GroundSight sight;
  int azimuths = 0;
  for (int i = 0; i < kAzimuths; ++i) {
    const double azimuth = 2 * std::numbers::pi * i / kAzimuths;
    const auto seen = [&](double there) {
      return ground.project(there * std::sin(azimuth), there * std::cos(azimuth)).inside;
    };
    int step = 0;
    while (step <= kSteps && !seen(distance(step))) ++step;
    if (step > kSteps) continue;
    ++azimuths;
    double there = distance(step);
    double before = distance(std::max(step - 1, 0));
    for (int halving = 0; before < there && halving < kHalvings; ++halving) {
      const double middle = (before + there) / 2;
      (seen(middle) ? there : before) = middle;
    }
    sight.nearest = std::min(sight.nearest, there);
  }
  sight.azimuths = static_cast<double>(azimuths) / kAzimuths;
  return sight;
}

/// Throws DataError, one line that says where the camera looks instead, unless it sees some of the
/// ground between `nearest` and `farthest` metres from its foot, or as sees_ground does.
inline void check_sees_ground(const Camera& camera, const Mount& mount, double nearest,
                              double farthest) {
  if (sees_ground(camera, mount, nearest, farthest).azimuths > 0) return;
  constexpr int kSteps = 64;
  const GroundCamera ground(camera, mount);
  double lowest = 90;
  double highest = -90;
  for (int i = 0; i <= kSteps; ++i) {
    for (int j = 0; j <= kSteps; ++j) {
      const auto seen = ground.elevation(static_cast<double>(camera.height() * i) / kSteps,
                                         static_cast<double>(camera.width() * j) / kSteps);
      if (!seen) continue;
      lowest = std::min(lowest, *seen);
      highest = std::max(highest, *seen);
    }
  }
  const auto degrees = [](double value) { return detail::shown(std::round(10 * value) / 10); };
  const auto ground_at = [&](double distance) {
    return degrees(-std::atan2(mount.height, distance) * kDegrees<double>);
  };
  throw DataError(
      "camera: it sees no ground from " + detail::shown(nearest) + " to " +
      detail::shown(farthest) + " m: that lies at elevations from " + ground_at(nearest) + " to " +
      ground_at(farthest) + " degrees, and the camera, " + detail::shown(mount.height) +
      " m high, pitch " + detail::shown(mount.pitch_degrees) + ", roll " +
      detail::shown(mount.roll_degrees) + ", sees from " + degrees(lowest) + " to " +
      degrees(highest) + "; another pitch (up is positive) or other distances are expected");
}

}  // namespace crossfix::camera
