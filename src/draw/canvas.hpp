#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "crossfix/io/image.hpp"

namespace crossfix::draw {

/// sRGB, 0 to 1 each.
using Colour = std::array<float, 3>;

/// Draws smooth shapes onto an 8-bit RGB image. Positions and lengths are continuous pixels, (row,
/// col), with (0, 0) at the outer corner. Anything outside the image is cut off.
class Canvas {
 public:
  explicit Canvas(TensorView<std::uint8_t, 3> image) : image_(image) {}

  /// Blends `colour` over one pixel with the share `alpha`.
  void blend(Index row, Index col, const Colour& colour, double alpha) const {
    for (Index c = 0; c < 3; ++c) {
      std::uint8_t& value = image_(row, col, c);
      const double mixed = (1 - alpha) * value +
                           alpha * 255 * static_cast<double>(colour[static_cast<std::size_t>(c)]);
      value = static_cast<std::uint8_t>(std::lround(std::clamp(mixed, 0.0, 255.0)));
    }
  }

  /// The line of a circle, of the given width. `dashes` > 0 breaks it into that many.
  void circle(double row, double col, double radius, double width, const Colour& colour,
              int dashes = 0) const {
    paint(row - radius, col - radius, row + radius, col + radius, width, colour,
          [&](double y, double x) {
            if (dashes > 0) {
              const double turn = std::atan2(y - row, x - col) / (2 * kPi) + 0.5;
              const double phase = turn * dashes;
              if (phase - std::floor(phase) > 0.6) return width;
            }
            return std::abs(std::hypot(y - row, x - col) - radius);
          });
  }

  /// A sector of a disc with the share `alpha`: the directions within `half` of `middle`, radians
  /// clockwise from the top, half a turn at most.
  void sector(double row, double col, double radius, double middle, double half,
              const Colour& colour, double alpha) const {
    for_each_pixel(row - radius, col - radius, row + radius, col + radius,
                   [&](Index r, Index c, double y, double x) {
                     const double off =
                         std::remainder(std::atan2(x - col, row - y) - middle, 2 * kPi);
                     const double inside = radius - std::hypot(y - row, x - col);
                     const double cover = std::clamp(inside + 0.5, 0.0, 1.0);
                     if (cover > 0 && std::abs(off) <= half) blend(r, c, colour, alpha * cover);
                   });
  }

  /// A straight line with round ends.
  void line(double row0, double col0, double row1, double col1, double width,
            const Colour& colour) const {
    const double dy = row1 - row0;
    const double dx = col1 - col0;
    const double length2 = std::max(dy * dy + dx * dx, 1e-12);
    paint(std::min(row0, row1), std::min(col0, col1), std::max(row0, row1), std::max(col0, col1),
          width, colour, [&](double y, double x) {
            const double t = std::clamp(((y - row0) * dy + (x - col0) * dx) / length2, 0.0, 1.0);
            return std::hypot(y - row0 - t * dy, x - col0 - t * dx);
          });
  }

 private:
  static constexpr double kPi = 3.14159265358979323846;

  /// Colours every pixel by its distance (row, col) from the middle line of the shape.
  template <class Distance>
  void paint(double top, double left, double bottom, double right, double width,
             const Colour& colour, const Distance& distance) const {
    for_each_pixel(top - width, left - width, bottom + width, right + width,
                   [&](Index row, Index col, double y, double x) {
                     const double cover = std::clamp(width / 2 + 0.5 - distance(y, x), 0.0, 1.0);
                     if (cover > 0) blend(row, col, colour, cover);
                   });
  }

  /// each(row, col, y, x) for the image's pixels within a rectangle and one beyond; (y, x): the
  /// pixel's middle.
  template <class Each>
  void for_each_pixel(double top, double left, double bottom, double right,
                      const Each& each) const {
    const auto within = [](double edge, Index limit) {
      return static_cast<Index>(std::clamp(edge, 0.0, static_cast<double>(limit)));
    };
    const Index bottom_row = within(std::ceil(bottom + 1), image_.extent(0));
    const Index right_col = within(std::ceil(right + 1), image_.extent(1));
    for (Index row = within(std::floor(top - 1), image_.extent(0)); row < bottom_row; ++row) {
      for (Index col = within(std::floor(left - 1), image_.extent(1)); col < right_col; ++col) {
        each(row, col, static_cast<double>(row) + 0.5, static_cast<double>(col) + 0.5);
      }
    }
  }

  TensorView<std::uint8_t, 3> image_;
};

}  // namespace crossfix::draw
