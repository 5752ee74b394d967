#include "overlay.hpp"

#include <algorithm>
#include <cmath>

#include "canvas.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/cpu/resize.hpp"

namespace crossfix::draw {
namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;
constexpr Colour kWhite{1, 1, 1};
constexpr Colour kBlack{0.05F, 0.05F, 0.08F};
constexpr Colour kFixColour{0.10F, 0.95F, 1.0F};
constexpr Colour kNotHereColour{1.0F, 0.25F, 0.2F};
constexpr Colour kTruthColour{1.0F, 0.92F, 0.15F};

/// A source coordinate between two neighbours, with the share of the second.
struct Neighbours {
  Index first;
  Index second;
  double share;
};

/// Neighbours of the sample centre `at` (continuous) among `count` sample centres.
Neighbours neighbours(double at, Index count) {
  const double shifted = std::clamp(at - 0.5, 0.0, static_cast<double>(count - 1));
  const auto first = static_cast<Index>(shifted);
  return {first, std::min(first + 1, count - 1), shifted - static_cast<double>(first)};
}

void copy(io::ImageView from, TensorView<std::uint8_t, 3> to) {
  for (Index row = 0; row < from.extent(0); ++row) {
    std::copy_n(&from(row, 0, 0), from.extent(1) * 3, &to(row, 0, 0));
  }
}

/// Dark purple through red and orange to pale yellow, for `heat` from 0 to 1.
Colour heat_color(double heat) {
  static constexpr std::array<Colour, 5> kStops{{{0.25F, 0.04F, 0.45F},
                                                 {0.62F, 0.10F, 0.48F},
                                                 {0.92F, 0.25F, 0.25F},
                                                 {0.99F, 0.60F, 0.15F},
                                                 {1.00F, 0.97F, 0.65F}}};
  const double at = std::clamp(heat, 0.0, 1.0) * (kStops.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
  const auto share = static_cast<float>(at - static_cast<double>(low));
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = (1 - share) * kStops[low][c] + share * kStops[low + 1][c];
  }
  return colour;
}

/// Draws the posterior over the pixels that its grid covers; `scale` is canvas pixels per tile
/// pixel.
void lay_heat(const Canvas& canvas, Index height, Index width, double scale, const Fix& fix) {
  const float peak = *std::max_element(fix.probability.begin(), fix.probability.end());
  const auto cell = [&](Index row, Index col) {
    return static_cast<double>(fix.probability[static_cast<std::size_t>(row * fix.grid + col)]);
  };
  const auto cells = static_cast<double>(fix.grid);
  for (Index row = 0; row < height; ++row) {
    const double y =
        ((static_cast<double>(row) + 0.5) / scale - fix.window.row) * cells / fix.window.height;
    if (y < 0 || y > cells) continue;
    const Neighbours v = neighbours(y, fix.grid);
    for (Index col = 0; col < width; ++col) {
      const double x =
          ((static_cast<double>(col) + 0.5) / scale - fix.window.col) * cells / fix.window.width;
      if (x < 0 || x > cells) continue;
      const Neighbours h = neighbours(x, fix.grid);
      const double above =
          (1 - h.share) * cell(v.first, h.first) + h.share * cell(v.first, h.second);
      const double below =
          (1 - h.share) * cell(v.second, h.first) + h.share * cell(v.second, h.second);
      // The square root makes a second, weaker hypothesis visible next to the first.
      const double heat = std::sqrt(((1 - v.share) * above + v.share * below) / peak);
      constexpr double kStrongest = 0.72;
      canvas.blend(row, col, heat_color(heat), kStrongest * std::min(1.0, 1.4 * heat));
    }
  }
}

/// Draws the same shape twice: first wider and dark, so that it is visible on any ground.
template <class Draw>
void outlined(double width, const Colour& colour, const Draw& draw) {
  draw(width * 2.2, kBlack);
  draw(width, colour);
}

/// Rings about the hypotheses, but for the nearest to the fix, which is marked. The area within a
/// ring goes by the share: a hypothesis of all would have one of `largest`.
void mark_hypotheses(const Canvas& canvas, const Fix& fix, double scale, double stroke,
                     double largest) {
  const auto away = [&](const Hypothesis& each) {
    return std::hypot(each.pixel.row - fix.pixel.row, each.pixel.col - fix.pixel.col);
  };
  const auto own =
      std::min_element(fix.hypotheses.begin(), fix.hypotheses.end(),
                       [&](const Hypothesis& a, const Hypothesis& b) { return away(a) < away(b); });
  for (auto each = fix.hypotheses.begin(); each != fix.hypotheses.end(); ++each) {
    if (each == own) continue;
    outlined(stroke, kFixColour, [&](double width, const Colour& colour) {
      canvas.circle(each->pixel.row * scale, each->pixel.col * scale,
                    largest * std::sqrt(each->share), width, colour);
    });
  }
}

/// The heading: an arrow from the fix to `length` away, and, where it was searched for, the sector
/// of its standard deviation each way.
void mark_heading(const Canvas& canvas, const Fix& fix, double row, double col, double stroke,
                  double length) {
  const double turn = *fix.heading_degrees * kDegree;
  const double sigma = std::min(fix.heading_sigma_degrees.value_or(0), 180.0) * kDegree;
  constexpr double kSectorAlpha = 0.35;
  if (sigma > 0) canvas.sector(row, col, length, turn, sigma, kFixColour, kSectorAlpha);
  const double tip_row = row - length * std::cos(turn);
  const double tip_col = col + length * std::sin(turn);
  const double barb_length = length / 3;
  outlined(stroke, kFixColour, [&](double width, const Colour& colour) {
    canvas.line(row, col, tip_row, tip_col, width, colour);
    for (const double barb : {150 * kDegree, -150 * kDegree}) {
      canvas.line(tip_row, tip_col, tip_row - barb_length * std::cos(turn + barb),
                  tip_col + barb_length * std::sin(turn + barb), width, colour);
    }
  });
}

/// Height of a ground image that is scaled to a width.
Index strip_height(const Shape<2>& ground, Index width) {
  return std::max<Index>(1, width * ground[0] / ground[1]);
}

}  // namespace

void resize_into(io::ImageView image, TensorView<std::uint8_t, 3> to) {
  cpu::Resizer resizer({image.extent(0), image.extent(1)}, {to.extent(0), to.extent(1)});
  copy(resizer(image), to);
}

void mark_truth(const Canvas& canvas, double row, double col, double stroke) {
  outlined(stroke, kTruthColour, [&](double width, const Colour& colour) {
    canvas.circle(row, col, 4 * stroke, width, colour);
    canvas.line(row, col, row, col, 1.6 * width, colour);
  });
}

Shape<2> overlay_size(const Shape<2>& tile, const std::optional<Shape<2>>& ground) {
  const Index factor = ceil_div<Index>(kSmallestOverlay, std::max(tile[0], tile[1]));
  Shape<2> size{tile[0] * factor, tile[1] * factor};
  if (ground) size[0] += strip_height(*ground, size[1]);
  return size;
}

io::Image draw_overlay(io::ImageView tile, const Fix& fix, const std::optional<PixelPoint>& truth,
                       double weight) {
  const auto [height, width] = overlay_size({tile.extent(0), tile.extent(1)});
  const Index factor = height / tile.extent(0);
  io::Image image({height, width, 3});
  resize_into(tile, image);
  const Canvas canvas(image);
  const auto scale = static_cast<double>(factor);
  lay_heat(canvas, image.extent(0), image.extent(1), scale, fix);

  const double row = fix.pixel.row * scale;
  const double col = fix.pixel.col * scale;
  const double stroke = weight * std::max(1.5, static_cast<double>(std::max(height, width)) / 280);
  const double arm = 5 * stroke;
  mark_hypotheses(canvas, fix, scale, 0.7 * stroke, 3 * arm);
  const Colour radius_colour = fix.not_here() ? kNotHereColour : kFixColour;
  outlined(stroke, radius_colour, [&](double line, const Colour& colour) {
    canvas.circle(row, col, fix.radius68_px * scale, line, colour);
  });
  if (truth) {
    const double truth_row = truth->row * scale;
    const double truth_col = truth->col * scale;
    outlined(stroke * 0.6, kWhite, [&](double line, const Colour& colour) {
      canvas.line(row, col, truth_row, truth_col, line, colour);
    });
    mark_truth(canvas, truth_row, truth_col, stroke);
  }
  if (fix.heading_degrees) mark_heading(canvas, fix, row, col, stroke, 3 * arm);
  outlined(stroke, kFixColour, [&](double line, const Colour& colour) {
    canvas.line(row - arm, col, row + arm, col, line, colour);
    canvas.line(row, col - arm, row, col + arm, line, colour);
  });
  return image;
}

io::Image with_ground_below(io::ImageView ground, io::ImageView overlay) {
  const Index width = overlay.extent(1);
  const Index strip = strip_height({ground.extent(0), ground.extent(1)}, width);
  io::Image image({strip + overlay.extent(0), width, 3});
  resize_into(ground, image.view().slice(0, 0, strip));
  copy(overlay, image.view().slice(0, strip, strip + overlay.extent(0)));
  return image;
}

}  // namespace crossfix::draw
