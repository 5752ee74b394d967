#pragma once

#include <algorithm>

#include "crossfix/camera/flaw.hpp"
#include "crossfix/camera/ray.hpp"

namespace crossfix::camera {

/// A camera with a fisheye lens, after Kannala and Brandt (2006, A generic camera model and
/// calibration method for conventional, wide-angle, and fish-eye lenses), as OpenCV's module
/// `fisheye` has it. A direction at an angle theta from forward falls on a circle of radius
///
///     d(theta) = theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8)
///
/// focal lengths about the principal point (cx, cy), (col, row) in pixels from the outer corner of
/// the first pixel: OpenCV counts from the centre of that pixel, so its values are smaller by 0.5.
struct FisheyeParameters {
  Index height = 0;
  Index width = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  double k[4] = {};
};

/// An equidistant lens (all k 0) with square pixels and its principal point in the middle, whose
/// image is `degrees` wide, within (0, 360]; elsewhere the parameters have a flaw.
inline FisheyeParameters fisheye_of_field_of_view(Index height, Index width, double degrees) {
  const double across = static_cast<double>(width) / 2;
  const double f = degrees <= 360 ? across / (degrees / 2 * kRadians<double>) : 0;
  return {height, width, f, f, across, static_cast<double>(height) / 2, {}};
}

/// The lens curve d(theta), radians to focal lengths, up to the angle at which it ceases to rise.
template <class Real>
class BasicFisheyeCurve {
 public:
  /// Finite coefficients. Host.
  explicit BasicFisheyeCurve(const double (&k)[4])
      : k_{Real(k[0]), Real(k[1]), Real(k[2]), Real(k[3])} {
    // The first angle at which the slope is not above 0, looked for in steps of 0.1 degrees up to
    // 180.
    constexpr int kSteps = 1800;
    constexpr Real kStep = std::numbers::pi_v<Real> / kSteps;
    limit_ = std::numbers::pi_v<Real>;
    for (int i = 1; i <= kSteps; ++i) {
      if (slope(static_cast<Real>(i) * kStep) > 0) continue;
      Real inside = static_cast<Real>(i - 1) * kStep;
      Real outside = static_cast<Real>(i) * kStep;
      for (int halving = 0; halving < 60; ++halving) {
        const Real middle = (inside + outside) / 2;
        (slope(middle) > 0 ? inside : outside) = middle;
      }
      limit_ = inside;
      break;
    }
  }

  CROSSFIX_HOST_DEVICE Real limit() const { return limit_; }  ///< radians
  CROSSFIX_HOST_DEVICE Real radius(Real theta) const {
    const Real s = theta * theta;
    return theta * (1 + s * (k_[0] + s * (k_[1] + s * (k_[2] + s * k_[3]))));
  }

  /// Finds the angle of a radius, by Newton's method between bounds that close in. False where
  /// there is none.
  CROSSFIX_HOST_DEVICE bool invert(Real target, Real& theta) const {
    if (!(target >= 0 && target <= radius(limit_))) return false;
    constexpr int kMostSteps = 60;
    Real low = 0;
    Real high = limit_;
    theta = target < high ? target : high / 2;
    for (int step = 0; step < kMostSteps; ++step) {
      const Real miss = target - radius(theta);
      const Real rise = slope(theta);
      Real next = rise > 0 ? theta + miss / rise : low;
      if (std::abs(next - theta) <= 4 * kEpsilon<Real> * theta) break;
      (miss > 0 ? low : high) = theta;
      if (!(next > low && next < high)) next = (low + high) / 2;
      theta = next;
    }
    return true;
  }

 private:
  CROSSFIX_HOST_DEVICE Real slope(Real theta) const {
    const Real s = theta * theta;
    return 1 + s * (3 * k_[0] + s * (5 * k_[1] + s * (7 * k_[2] + s * 9 * k_[3])));
  }

  Real k_[4];
  Real limit_;
};
using FisheyeCurve = BasicFisheyeCurve<double>;

inline std::optional<Flaw> flaw_of(const FisheyeParameters& p) {
  if (auto flaw = detail::flaw_of_size(p.height, p.width)) return flaw;
  if (auto flaw = detail::flaw_of_focal_length("fx", p.fx)) return flaw;
  if (auto flaw = detail::flaw_of_focal_length("fy", p.fy)) return flaw;
  if (auto flaw = detail::flaw_of_centre("cx", p.cx, p.width)) return flaw;
  if (auto flaw = detail::flaw_of_centre("cy", p.cy, p.height)) return flaw;
  for (const double k : p.k) {
    if (!std::isfinite(k)) return detail::flaw_of_value("distortion", k, "a finite coefficient");
  }
  // The lens must serve up to the edge that is nearest to the principal point, where that is
  // inside; a lens that serves all directions may leave edges black.
  const FisheyeCurve curve(p.k);
  const double reach = curve.radius(curve.limit());
  const double nearest = std::min({p.cx / p.fx, (static_cast<double>(p.width) - p.cx) / p.fx,
                                   p.cy / p.fy, (static_cast<double>(p.height) - p.cy) / p.fy});
  if (nearest > reach && curve.limit() < std::numbers::pi) {
    return Flaw{"distortion", "distortion folds the image over " + detail::shown(reach * p.fx) +
                                  " pixels from the principal point, inside of the image; "
                                  "coefficients of this model, k1, k2, k3, k4, are expected"};
  }
  return {};
}

/// Fisheye projection. Valid are directions up to the angle at which the lens curve ceases to rise:
/// what lies beyond is not folded back into the image.
template <class Real>
class BasicFisheye {
 public:
  /// Throws DataError for parameters with a flaw. Host.
  explicit BasicFisheye(const FisheyeParameters& p)
      : parameters_(checked(p)),
        fx_(static_cast<Real>(p.fx)),
        fy_(static_cast<Real>(p.fy)),
        cx_(static_cast<Real>(p.cx)),
        cy_(static_cast<Real>(p.cy)),
        curve_(p.k) {}
  template <class Other>
  explicit BasicFisheye(const BasicFisheye<Other>& other) : BasicFisheye(other.parameters()) {}

  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(const BasicRay<Real>& ray) const {
    const Real off = std::sqrt(ray.x * ray.x + ray.y * ray.y);
    const Real theta = std::atan2(off, ray.z);
    if (!(theta < curve_.limit())) return {};
    const Real scale = off > 0 ? curve_.radius(theta) / off : Real(0);
    return detail::projection(cy_ + fy_ * scale * ray.y, cx_ + fx_ * scale * ray.x, height(),
                              width());
  }

  CROSSFIX_HOST_DEVICE BasicUnprojection<Real> unproject(Real row, Real col) const {
    const Real x = (col - cx_) / fx_;
    const Real y = (row - cy_) / fy_;
    const Real radius = std::sqrt(x * x + y * y);
    Real theta = 0;
    if (!curve_.invert(radius, theta)) return {};
    const Real scale = radius > 0 ? std::sin(theta) / radius : Real(0);
    return {{x * scale, y * scale, std::cos(theta)}, true};
  }

  CROSSFIX_HOST_DEVICE Index height() const { return parameters_.height; }
  CROSSFIX_HOST_DEVICE Index width() const { return parameters_.width; }
  const FisheyeParameters& parameters() const { return parameters_; }
  /// The angle from forward at which the lens curve ceases to rise, degrees; 180 at most.
  double largest_angle() const { return static_cast<double>(curve_.limit()) * kDegrees<double>; }
  FieldOfView field_of_view() const {
    const auto& p = parameters_;
    return {angle((static_cast<double>(p.width) - p.cx) / p.fx) + angle(p.cx / p.fx),
            angle((static_cast<double>(p.height) - p.cy) / p.fy) + angle(p.cy / p.fy)};
  }

 private:
  static const FisheyeParameters& checked(const FisheyeParameters& p) {
    refuse(flaw_of(p));
    return p;
  }
  /// Signed, degrees; the largest angle where nothing falls so far out.
  double angle(double radius) const {
    Real theta = 0;
    const bool found = curve_.invert(static_cast<Real>(std::abs(radius)), theta);
    const double size = found ? static_cast<double>(theta) * kDegrees<double> : largest_angle();
    return radius < 0 ? -size : size;
  }

  FisheyeParameters parameters_;
  Real fx_;
  Real fy_;
  Real cx_;
  Real cy_;
  BasicFisheyeCurve<Real> curve_;
};
using Fisheye = BasicFisheye<double>;

}  // namespace crossfix::camera
