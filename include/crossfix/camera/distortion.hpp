#pragma once

#include "crossfix/camera/ray.hpp"

namespace crossfix::camera {

/// Coefficients of a lens by Brown (1971, Close-range camera calibration), with the rational radial
/// part of OpenCV (calib3d, "Camera Calibration and 3D Reconstruction"). They act on (x, y), the
/// tangents right and down of forward; with r2 = x x + y y
///
///     f  = (1 + k1 r2 + k2 r2^2 + k3 r2^3) / (1 + k4 r2 + k5 r2^2 + k6 r2^3)
///     x' = x f + 2 p1 x y + p2 (r2 + 2 x x)
///     y' = y f + p1 (r2 + 2 y y) + 2 p2 x y
struct BrownCoefficients {
  double k1 = 0;
  double k2 = 0;
  double p1 = 0;
  double p2 = 0;
  double k3 = 0;
  double k4 = 0;
  double k5 = 0;
  double k6 = 0;
};

/// A point in the plane at distance 1 in front of the camera.
template <class Real>
struct BasicTangents {
  Real x = 0;  ///< right
  Real y = 0;  ///< down
};

/// Brown's distortion on the disc about the centre in which it is one to one. Its Jacobian is
/// symmetric; where that is positive definite all over a disc, no two points of the disc fall on
/// one. With rho(r) = r f and p = (p2, p1) its least eigenvalue is at least min(rho', rho / r) - 6
/// |p| r: the disc ends where that first comes to 0.
template <class Real>
class BasicBrownDistortion {
 public:
  /// Finite coefficients. Host.
  explicit BasicBrownDistortion(const BrownCoefficients& c)
      : k_{Real(c.k1), Real(c.k2), Real(c.k3), Real(c.k4), Real(c.k5), Real(c.k6)},
        p1_(static_cast<Real>(c.p1)),
        p2_(static_cast<Real>(c.p2)),
        limit_(static_cast<Real>(limit_of(c))) {}

  /// The radius of the disc, a tangent; the largest number there is where nothing is distorted.
  CROSSFIX_HOST_DEVICE Real limit() const { return limit_; }
  CROSSFIX_HOST_DEVICE bool holds(Real x, Real y) const {
    return std::sqrt(x * x + y * y) < limit_;
  }

  CROSSFIX_HOST_DEVICE BasicTangents<Real> apply(Real x, Real y) const {
    const Real r2 = x * x + y * y;
    const Real f = radial(r2).value;
    return {x * f + 2 * p1_ * x * y + p2_ * (r2 + 2 * x * x),
            y * f + p1_ * (r2 + 2 * y * y) + 2 * p2_ * x * y};
  }

  /// Finds the point of the disc that falls on `target`, by Newton's method: steps are halved until
  /// they stay in the disc and come nearer, which leads to it as the Jacobian is positive definite.
  /// False where there is none. `found` is right to some epsilons of Real times 1 + |target| in the
  /// distorted plane.
  CROSSFIX_HOST_DEVICE bool invert(BasicTangents<Real> target, BasicTangents<Real>& found) const {
    const Real size = 1 + std::sqrt(target.x * target.x + target.y * target.y);
    BasicTangents<Real> at{};
    BasicTangents<Real> miss = target;
    Real error = size - 1;
    for (int step = 0; step < kMostSteps && error > kEpsilon<Real> * size; ++step) {
      const Jacobian j = jacobian(at.x, at.y);
      const Real determinant = j.xx * j.yy - j.xy * j.xy;
      if (!(determinant > 0)) break;
      const Real dx = (j.yy * miss.x - j.xy * miss.y) / determinant;
      const Real dy = (j.xx * miss.y - j.xy * miss.x) / determinant;
      bool nearer = false;
      Real share = 1;
      for (int half = 0; half < kMostHalvings && !nearer; ++half, share /= 2) {
        const BasicTangents<Real> next{at.x + share * dx, at.y + share * dy};
        if (!holds(next.x, next.y)) continue;
        const BasicTangents<Real> image = apply(next.x, next.y);
        const BasicTangents<Real> left{target.x - image.x, target.y - image.y};
        const Real remains = std::sqrt(left.x * left.x + left.y * left.y);
        if (!(remains < error)) continue;
        nearer = true;
        at = next;
        miss = left;
        error = remains;
      }
      if (!nearer) break;
    }
    found = at;
    return error <= 64 * kEpsilon<Real> * size;
  }

 private:
  template <class>
  friend class BasicBrownDistortion;
  /// The tests' lenses take 9 at most within their images; next to the disc's edge it takes more.
  static constexpr int kMostSteps = 40;
  /// Enough for a first step that polynomials of degree 7 magnify.
  static constexpr int kMostHalvings = 40;

  struct Radial {
    Real value;
    Real slope;  ///< by r2
    Real below;  ///< the denominator
  };
  struct Jacobian {
    Real xx;
    Real xy;
    Real yy;
  };

  CROSSFIX_HOST_DEVICE Radial radial(Real r2) const {
    const Real above = 1 + r2 * (k_[0] + r2 * (k_[1] + r2 * k_[2]));
    const Real below = 1 + r2 * (k_[3] + r2 * (k_[4] + r2 * k_[5]));
    const Real above_slope = k_[0] + r2 * (2 * k_[1] + r2 * 3 * k_[2]);
    const Real below_slope = k_[3] + r2 * (2 * k_[4] + r2 * 3 * k_[5]);
    const Real value = above / below;
    return {value, (above_slope - value * below_slope) / below, below};
  }

  CROSSFIX_HOST_DEVICE Jacobian jacobian(Real x, Real y) const {
    const Radial f = radial(x * x + y * y);
    return {f.value + 2 * x * x * f.slope + 2 * p1_ * y + 6 * p2_ * x,
            2 * x * y * f.slope + 2 * p1_ * x + 2 * p2_ * y,
            f.value + 2 * y * y * f.slope + 6 * p1_ * y + 2 * p2_ * x};
  }

  /// The bound of the Jacobian's least eigenvalue at radius r; no more than 0 beyond a pole.
  Real least_eigenvalue(Real r) const {
    const Radial f = radial(r * r);
    if (!(f.below > 0)) return -1;
    const Real along = f.value + 2 * r * r * f.slope;
    const Real least = along < f.value ? along : f.value;
    return least - 6 * std::sqrt(p1_ * p1_ + p2_ * p2_) * r;
  }

  /// The first radius at which that is not above 0, looked for in steps of 0.05 degrees up to 89.9.
  static double limit_of(const BrownCoefficients& c) {
    if (c.k1 == 0 && c.k2 == 0 && c.k3 == 0 && c.k4 == 0 && c.k5 == 0 && c.k6 == 0 && c.p1 == 0 &&
        c.p2 == 0) {
      return static_cast<double>(std::numeric_limits<float>::max());
    }
    constexpr int kSteps = 1798;
    constexpr double kStep = 0.05 * kRadians<double>;
    const BasicBrownDistortion<double> lens(c, 0);
    double inside = 0;
    for (int i = 1; i <= kSteps; ++i) {
      double outside = std::tan(i * kStep);
      if (lens.least_eigenvalue(outside) > 0) {
        inside = outside;
        continue;
      }
      for (int halving = 0; halving < 60; ++halving) {
        const double middle = (inside + outside) / 2;
        (lens.least_eigenvalue(middle) > 0 ? inside : outside) = middle;
      }
      break;
    }
    return inside;
  }
  BasicBrownDistortion(const BrownCoefficients& c, int)
      : k_{Real(c.k1), Real(c.k2), Real(c.k3), Real(c.k4), Real(c.k5), Real(c.k6)},
        p1_(static_cast<Real>(c.p1)),
        p2_(static_cast<Real>(c.p2)),
        limit_(0) {}

  Real k_[6];
  Real p1_;
  Real p2_;
  Real limit_;
};
using BrownDistortion = BasicBrownDistortion<double>;

}  // namespace crossfix::camera
