#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/shape.hpp"

/// Cameras: which pixel shows a direction, and the other way round. docs/cameras.md draws the
/// frames.
///
/// Camera frame: x right, y down, z forward, as OpenCV has it. Pixels are continuous (row, col):
/// (0, 0) is the outer corner of the first pixel, whose centre is (0.5, 0.5); the far corner is
/// (height, width). What is not marked as the host's runs in device code too.
namespace crossfix::camera {

template <class Real>
inline constexpr Real kRadians = std::numbers::pi_v<Real> / Real(180);  ///< of a degree
template <class Real>
inline constexpr Real kDegrees = Real(180) / std::numbers::pi_v<Real>;  ///< of a radian
template <class Real>
inline constexpr Real kEpsilon = std::numeric_limits<Real>::epsilon();

/// A direction in the camera frame, of any length above 0.
template <class Real>
struct BasicRay {
  Real x = 0;  ///< right
  Real y = 0;  ///< down
  Real z = 0;  ///< forward
};
using Ray = BasicRay<double>;

/// Where a camera shows a direction.
template <class Real>
struct BasicProjection {
  Real row = 0;
  Real col = 0;
  /// The camera's model covers the direction: it is in front, and where the lens's distortion is
  /// one to one. Otherwise row and col mean nothing.
  bool valid = false;
  bool inside = false;  ///< valid, and within the image, its edges included
};
using Projection = BasicProjection<double>;

/// The direction that a pixel shows, of length 1.
template <class Real>
struct BasicUnprojection {
  BasicRay<Real> ray{};
  bool valid = false;  ///< some direction falls on the pixel; otherwise the ray means nothing
};
using Unprojection = BasicUnprojection<double>;

/// The angles between the left and the right edge, and the upper and the lower edge, of what a
/// camera covers, degrees: along the row and the column through the principal point.
struct FieldOfView {
  double horizontal = 0;
  double vertical = 0;
};

namespace detail {

/// A valid projection; inside where it lies within height x width pixels. What is not a number is
/// not inside.
template <class Real>
CROSSFIX_HOST_DEVICE BasicProjection<Real> projection(Real row, Real col, Index height,
                                                      Index width) {
  const bool inside = row >= Real(0) && row <= static_cast<Real>(height) && col >= Real(0) &&
                      col <= static_cast<Real>(width);
  return {row, col, true, inside};
}

template <class Real>
CROSSFIX_HOST_DEVICE BasicRay<Real> unit(Real x, Real y, Real z) {
  const Real scale = Real(1) / std::sqrt(x * x + y * y + z * z);
  return {x * scale, y * scale, z * scale};
}

}  // namespace detail

}  // namespace crossfix::camera
