#pragma once

#include <algorithm>
#include <tuple>

#include "crossfix/camera/distortion.hpp"
#include "crossfix/camera/flaw.hpp"

namespace crossfix::camera {

/// A camera with an ordinary lens. Lengths in pixels of the image of height x width; (cx, cy) is
/// the principal point as (col, row), from the outer corner of the first pixel: OpenCV counts from
/// the centre of that pixel, so its values are smaller by 0.5.
struct PinholeParameters {
  Index height = 0;
  Index width = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  BrownCoefficients distortion{};
};

/// A camera without distortion, with square pixels and its principal point in the middle, whose
/// image is `degrees` wide, above 0 and below kWidestPinhole; elsewhere the parameters have a flaw.
inline PinholeParameters pinhole_of_field_of_view(Index height, Index width, double degrees) {
  const double across = static_cast<double>(width) / 2;
  const double f = degrees < 180 ? across / std::tan(degrees / 2 * kRadians<double>) : 0;
  return {height, width, f, f, across, static_cast<double>(height) / 2, {}};
}

/// No lens without a fisheye's projection sees that much, degrees.
inline constexpr double kWidestPinhole = 170;

inline std::optional<Flaw> flaw_of(const PinholeParameters& p) {
  if (auto flaw = detail::flaw_of_size(p.height, p.width)) return flaw;
  if (auto flaw = detail::flaw_of_focal_length("fx", p.fx)) return flaw;
  if (auto flaw = detail::flaw_of_focal_length("fy", p.fy)) return flaw;
  if (auto flaw = detail::flaw_of_centre("cx", p.cx, p.width)) return flaw;
  if (auto flaw = detail::flaw_of_centre("cy", p.cy, p.height)) return flaw;
  constexpr double kLargestRatio = 1.5;  // of pixels that are not square
  if (!(std::max(p.fx, p.fy) <= kLargestRatio * std::min(p.fx, p.fy))) {
    return Flaw{"fy", "fy is " + detail::shown(p.fy) + " and fx " + detail::shown(p.fx) +
                          "; two focal lengths in pixels, that differ by a factor of " +
                          detail::shown(kLargestRatio) + " at most, are expected"};
  }
  for (const auto& [key, side, f] : {std::tuple{"fx", p.width, p.fx}, {"fy", p.height, p.fy}}) {
    const double seen = 2 * std::atan(static_cast<double>(side) / 2 / f) * kDegrees<double>;
    if (seen < kWidestPinhole) continue;
    return Flaw{key,
                std::string(key) + " is " + detail::shown(f) + ", and " + std::to_string(side) +
                    " pixels would show " + detail::shown(seen) +
                    " degrees; a focal length in pixels, not in millimetres, of a view below " +
                    detail::shown(kWidestPinhole) + " degrees is expected"};
  }
  const BrownCoefficients& d = p.distortion;
  for (const double k : {d.k1, d.k2, d.p1, d.p2, d.k3, d.k4, d.k5, d.k6}) {
    if (!std::isfinite(k)) return detail::flaw_of_value("distortion", k, "a finite coefficient");
  }
  // The lens must serve up to the edge that is nearest to the principal point, where that is
  // inside.
  const BrownDistortion lens(d);
  const double limit = std::min(lens.limit(), 1e6);
  const double reach = limit > 0 ? std::abs(lens.apply(limit, 0).x) : 0;
  const double nearest = std::min({p.cx / p.fx, (static_cast<double>(p.width) - p.cx) / p.fx,
                                   p.cy / p.fy, (static_cast<double>(p.height) - p.cy) / p.fy});
  if (nearest > reach) {
    return Flaw{"distortion",
                "distortion folds the image over " + detail::shown(reach * p.fx) +
                    " pixels from the principal point, inside of the image; coefficients of this "
                    "model, in the order k1, k2, p1, p2, k3, k4, k5, k6, are expected"};
  }
  return {};
}

/// Perspective projection with Brown's distortion. Valid are directions in front within the disc in
/// which the distortion is one to one: what lies beyond is not folded back into the image.
template <class Real>
class BasicPinhole {
 public:
  /// Throws DataError for parameters with a flaw. Host.
  explicit BasicPinhole(const PinholeParameters& p)
      : parameters_(checked(p)),
        fx_(static_cast<Real>(p.fx)),
        fy_(static_cast<Real>(p.fy)),
        cx_(static_cast<Real>(p.cx)),
        cy_(static_cast<Real>(p.cy)),
        lens_(p.distortion) {}
  template <class Other>
  explicit BasicPinhole(const BasicPinhole<Other>& other) : BasicPinhole(other.parameters()) {}

  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(const BasicRay<Real>& ray) const {
    if (!(ray.z > Real(0))) return {};
    const Real x = ray.x / ray.z;
    const Real y = ray.y / ray.z;
    if (!lens_.holds(x, y)) return {};
    const BasicTangents<Real> seen = lens_.apply(x, y);
    return detail::projection(cy_ + fy_ * seen.y, cx_ + fx_ * seen.x, height(), width());
  }

  CROSSFIX_HOST_DEVICE BasicUnprojection<Real> unproject(Real row, Real col) const {
    BasicTangents<Real> point{};
    if (!lens_.invert({(col - cx_) / fx_, (row - cy_) / fy_}, point)) return {};
    return {detail::unit(point.x, point.y, Real(1)), true};
  }

  CROSSFIX_HOST_DEVICE Index height() const { return parameters_.height; }
  CROSSFIX_HOST_DEVICE Index width() const { return parameters_.width; }
  const PinholeParameters& parameters() const { return parameters_; }
  /// The angle from forward at which the distortion ceases to be one to one, degrees; 90 at most.
  double largest_angle() const {
    return std::atan(static_cast<double>(lens_.limit())) * kDegrees<double>;
  }
  FieldOfView field_of_view() const {
    const auto across = [&](Real col) { return angle(cy_, col, col < cx_); };
    const auto along = [&](Real row) { return angle(row, cx_, row < cy_); };
    return {across(static_cast<Real>(width())) - across(0),
            along(static_cast<Real>(height())) - along(0)};
  }

 private:
  static const PinholeParameters& checked(const PinholeParameters& p) {
    refuse(flaw_of(p));
    return p;
  }
  /// Signed, degrees; the largest angle where the pixel shows none.
  double angle(Real row, Real col, bool negative) const {
    const auto seen = unproject(row, col);
    const auto off = static_cast<double>(std::hypot(seen.ray.x, seen.ray.y));
    const double size = seen.valid
                            ? std::atan2(off, static_cast<double>(seen.ray.z)) * kDegrees<double>
                            : largest_angle();
    return negative ? -size : size;
  }

  PinholeParameters parameters_;
  Real fx_;
  Real fy_;
  Real cx_;
  Real cy_;
  BasicBrownDistortion<Real> lens_;
};
using Pinhole = BasicPinhole<double>;

}  // namespace crossfix::camera
