#pragma once

#include "crossfix/kernels/device/cuda.cuh"

namespace crossfix::kernels {

/// Area of the part of a rectangle within a circle about the origin, and the length of the circle's
/// arc in the rectangle, which is the derivative of the area with respect to the radius.
struct CirclePart {
  float area;
  float arc;
};

/// t - sin(t) for 0 <= t <= pi / 2, to a few ulp: the series, by Horner's scheme.
__device__ __forceinline__ float angle_less_sine(float t) {
  const float s = t * t;
  float series = 1.0f - s * (1.0f / 110.0f);
  series = 1.0f - s * (1.0f / 72.0f) * series;
  series = 1.0f - s * (1.0f / 42.0f) * series;
  series = 1.0f - s * (1.0f / 20.0f) * series;
  return t * s * (1.0f / 6.0f) * series;
}

/// For the rectangle [x0, x1] x [y0, y1] in the quadrant of positive x and y. To the right of the
/// point where the arc leaves the top of the rectangle, the area is a trapezoid under a chord plus
/// the segment between chord and arc. The error is therefore relative to the size of the rectangle
/// and not to that of the circle.
__device__ __forceinline__ CirclePart circle_quadrant(float radius, float x0, float x1, float y0,
                                                      float y1) {
  if (x1 * x1 + y1 * y1 <= radius * radius) return {(x1 - x0) * (y1 - y0), 0.0f};
  if (x0 * x0 + y0 * y0 >= radius * radius) return {0.0f, 0.0f};
  const auto on_arc = [radius](float t) {  // the other coordinate
    return t < radius ? sqrtf((radius - t) * (radius + t)) : 0.0f;
  };
  const float top = on_arc(y1);     // x at which the arc crosses y1
  const float bottom = on_arc(y0);  // x at which the arc crosses y0
  const bool under_top = top > x0;
  const bool to_bottom = bottom < x1;
  const float left = under_top ? top : x0;
  const float left_y = under_top ? y1 : on_arc(x0);
  const float right = to_bottom ? bottom : x1;
  const float right_y = to_bottom ? y0 : on_arc(x1);
  const float width = fmaxf(0.0f, right - left);
  const float trapezoid = 0.5f * width * ((left_y - y0) + (right_y - y0));
  const float fall = left_y - right_y;
  const float chord = sqrtf(width * width + fall * fall);
  const float angle = 2.0f * asinf(fminf(1.0f, 0.5f * chord / radius));
  const float segment = 0.5f * radius * radius * angle_less_sine(angle);
  return {(left - x0) * (y1 - y0) + trapezoid + segment, radius * angle};
}

/// For the cell of side 1 whose lower corner is (x0, y0), anywhere in the plane: it is cut at the
/// axes, and its parts are mirrored into the first quadrant.
__device__ __forceinline__ CirclePart circle_cell(float radius, float x0, float y0) {
  const float x1 = x0 + 1.0f;
  const float y1 = y0 + 1.0f;
  CirclePart sum{0.0f, 0.0f};
  const auto add = [&](float a0, float a1, float b0, float b1) {
    const CirclePart part = circle_quadrant(radius, a0, a1, b0, b1);
    sum.area += part.area;
    sum.arc += part.arc;
  };
  for (int side = 0; side < 4; ++side) {
    // Positive or negative x, positive or negative y.
    const float a0 = fmaxf(0.0f, side % 2 == 0 ? x0 : -x1);
    const float a1 = side % 2 == 0 ? x1 : -x0;
    const float b0 = fmaxf(0.0f, side / 2 == 0 ? y0 : -y1);
    const float b1 = side / 2 == 0 ? y1 : -y0;
    if (a1 > a0 && b1 > b0) add(a0, a1, b0, b1);
  }
  return sum;
}

}  // namespace crossfix::kernels
