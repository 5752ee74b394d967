#pragma once

#include "crossfix/camera/equirectangular.hpp"

namespace crossfix::camera {

/// A panorama on a cylinder about the y axis: columns are azimuth, clockwise from forward (z), seen
/// from above, even; rows are the tangent of elevation, so that what is upright stays straight.
struct CylindricalParameters {
  Index height = 0;
  Index width = 0;
  double azimuth_begin = -180;  ///< of the left edge, degrees
  double azimuth_end = 180;     ///< of the right edge, degrees; may lie beyond 180
  double fy = 0;                ///< rows for each tangent of elevation
  double cy = 0;                ///< row of the horizon of a level camera
};

inline std::optional<Flaw> flaw_of(const CylindricalParameters& p) {
  if (auto flaw = detail::flaw_of_size(p.height, p.width)) return flaw;
  if (auto flaw =
          detail::flaw_of_range("azimuth_deg", p.azimuth_begin, p.azimuth_end, -360, 360, 360)) {
    return flaw;
  }
  if (auto flaw = detail::flaw_of_focal_length("fy", p.fy)) return flaw;
  return detail::flaw_of_centre("cy", p.cy, p.height);
}

/// As stitchers make them: pixels that are square at the horizon, which lies in the middle.
inline CylindricalParameters square_cylinder(Index height, Index width, double azimuth_begin,
                                             double azimuth_end) {
  const double span = (azimuth_end - azimuth_begin) * kRadians<double>;
  return {height,
          width,
          azimuth_begin,
          azimuth_end,
          static_cast<double>(width) / span,
          static_cast<double>(height) / 2};
}

/// Cylindrical projection: every direction but straight up and down is valid, and every pixel.
template <class Real>
class BasicCylindrical {
 public:
  /// Throws DataError for parameters with a flaw. Host.
  explicit BasicCylindrical(const CylindricalParameters& p)
      : parameters_(p), fy_(static_cast<Real>(p.fy)), cy_(static_cast<Real>(p.cy)) {
    refuse(flaw_of(p));
    columns_ = BasicAzimuthAxis<Real>::of(p.azimuth_begin, p.azimuth_end, p.width);
  }
  template <class Other>
  explicit BasicCylindrical(const BasicCylindrical<Other>& other)
      : BasicCylindrical(other.parameters()) {}

  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(const BasicRay<Real>& ray) const {
    const Real level = std::sqrt(ray.x * ray.x + ray.z * ray.z);
    if (!(level > Real(0))) return {};
    return detail::projection(cy_ + fy_ * (ray.y / level), columns_.col(std::atan2(ray.x, ray.z)),
                              height(), width());
  }

  CROSSFIX_HOST_DEVICE BasicUnprojection<Real> unproject(Real row, Real col) const {
    const Real azimuth = columns_.azimuth(col);
    return {detail::unit(std::sin(azimuth), (row - cy_) / fy_, std::cos(azimuth)), true};
  }

  CROSSFIX_HOST_DEVICE Index height() const { return parameters_.height; }
  CROSSFIX_HOST_DEVICE Index width() const { return parameters_.width; }
  const CylindricalParameters& parameters() const { return parameters_; }
  FieldOfView field_of_view() const {
    const auto& p = parameters_;
    const double down = std::atan((static_cast<double>(p.height) - p.cy) / p.fy);
    return {p.azimuth_end - p.azimuth_begin, (down + std::atan(p.cy / p.fy)) * kDegrees<double>};
  }

 private:
  CylindricalParameters parameters_;
  BasicAzimuthAxis<Real> columns_{};
  Real fy_;
  Real cy_;
};
using Cylindrical = BasicCylindrical<double>;

}  // namespace crossfix::camera
