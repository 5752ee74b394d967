#pragma once

#include "crossfix/camera/flaw.hpp"
#include "crossfix/camera/ray.hpp"

namespace crossfix::camera {

/// The whole sphere of directions or a window of it: columns are azimuth, rows are elevation, both
/// even. Degrees. Azimuth is clockwise from forward (z), seen from above; elevation is up from the
/// plane of x and z. The defaults are a whole panorama, whose centre column looks forward.
struct EquirectangularParameters {
  Index height = 0;
  Index width = 0;
  double azimuth_begin = -180;   ///< of the left edge
  double azimuth_end = 180;      ///< of the right edge; may lie beyond 180
  double elevation_begin = -90;  ///< of the lower edge
  double elevation_end = 90;     ///< of the upper edge
};

inline std::optional<Flaw> flaw_of(const EquirectangularParameters& p) {
  if (auto flaw = detail::flaw_of_size(p.height, p.width)) return flaw;
  if (auto flaw =
          detail::flaw_of_range("azimuth_deg", p.azimuth_begin, p.azimuth_end, -360, 360, 360)) {
    return flaw;
  }
  return detail::flaw_of_range("elevation_deg", p.elevation_begin, p.elevation_end, -90, 90, 180);
}

/// Azimuth over the columns of a panorama: shared by those whose rows differ.
template <class Real>
struct BasicAzimuthAxis {
  Real middle = 0;  ///< azimuth of the middle column, radians
  Real span = 0;    ///< radians
  Real width = 0;   ///< pixels

  static BasicAzimuthAxis of(double begin, double end, Index width) {
    return {static_cast<Real>((begin + end) / 2 * kRadians<double>),
            static_cast<Real>((end - begin) * kRadians<double>), static_cast<Real>(width)};
  }
  /// Beyond [0, width] outside of the window; a whole turn has every azimuth in it.
  CROSSFIX_HOST_DEVICE Real col(Real azimuth) const {
    constexpr Real kTurn = 2 * std::numbers::pi_v<Real>;
    const Real turn = (azimuth - middle) / kTurn;
    return (turn - std::floor(turn + Real(0.5))) * kTurn / span * width + width / 2;
  }
  CROSSFIX_HOST_DEVICE Real azimuth(Real col) const {
    return middle + (col / width - Real(0.5)) * span;
  }
};

/// Equirectangular projection (plate carree). Every direction is valid; so is every pixel whose
/// elevation is within 90 degrees.
template <class Real>
class BasicEquirectangular {
 public:
  /// Throws DataError for parameters with a flaw. Host.
  explicit BasicEquirectangular(const EquirectangularParameters& p) : parameters_(p) {
    refuse(flaw_of(p));
    columns_ = BasicAzimuthAxis<Real>::of(p.azimuth_begin, p.azimuth_end, p.width);
    top_ = static_cast<Real>(p.elevation_end * kRadians<double>);
    rows_per_radian_ = static_cast<Real>(
        static_cast<double>(p.height) / ((p.elevation_end - p.elevation_begin) * kRadians<double>));
  }

  template <class Other>
  explicit BasicEquirectangular(const BasicEquirectangular<Other>& other)
      : BasicEquirectangular(other.parameters()) {}

  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(const BasicRay<Real>& ray) const {
    const Real elevation = std::atan2(-ray.y, std::sqrt(ray.x * ray.x + ray.z * ray.z));
    return detail::projection((top_ - elevation) * rows_per_radian_,
                              columns_.col(std::atan2(ray.x, ray.z)), height(), width());
  }

  CROSSFIX_HOST_DEVICE BasicUnprojection<Real> unproject(Real row, Real col) const {
    const Real elevation = top_ - row / rows_per_radian_;
    const Real azimuth = columns_.azimuth(col);
    const Real level = std::cos(elevation);
    // The poles' rows are valid, rounded as they may be.
    constexpr Real kPole = std::numbers::pi_v<Real> / 2 + 8 * kEpsilon<Real>;
    return {{level * std::sin(azimuth), -std::sin(elevation), level * std::cos(azimuth)},
            elevation >= -kPole && elevation <= kPole};
  }

  CROSSFIX_HOST_DEVICE Index height() const { return parameters_.height; }
  CROSSFIX_HOST_DEVICE Index width() const { return parameters_.width; }
  const EquirectangularParameters& parameters() const { return parameters_; }
  FieldOfView field_of_view() const {
    return {parameters_.azimuth_end - parameters_.azimuth_begin,
            parameters_.elevation_end - parameters_.elevation_begin};
  }

 private:
  EquirectangularParameters parameters_;
  BasicAzimuthAxis<Real> columns_{};
  Real top_ = 0;
  Real rows_per_radian_ = 0;
};
using Equirectangular = BasicEquirectangular<double>;

}  // namespace crossfix::camera
