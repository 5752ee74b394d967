#pragma once

#include <optional>

#include "canvas.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/localizer.hpp"

namespace crossfix::draw {

/// Smallest side of an overlay, pixels. A smaller tile is enlarged by a whole factor.
inline constexpr Index kSmallestOverlay = 512;

/// Height and width of draw_overlay's picture of such a tile, with `ground` above it if given.
Shape<2> overlay_size(const Shape<2>& tile, const std::optional<Shape<2>>& ground = {});

/// The tile with the posterior as a heat map (transparent where it is unlikely), the fix as a cross
/// with its 68 % circle, an arrow for its heading with a sector for the standard deviation, a ring
/// about each of the other hypotheses, larger for a larger share, and the truth, if given, as a
/// ring with a dot, joined to the fix. `weight` thickens the marks, for pictures that are shown
/// reduced.
io::Image draw_overlay(io::ImageView tile, const Fix& fix, const std::optional<PixelPoint>& truth,
                       double weight = 1);

/// `image`, resized to the height and width of `to`.
void resize_into(io::ImageView image, TensorView<std::uint8_t, 3> to);

/// The mark where the camera stood: a ring with a dot. `stroke` is the width of a line, pixels.
void mark_truth(const Canvas& canvas, double row, double col, double stroke);

/// `ground`, scaled to the width of the overlay, with the overlay below it.
io::Image with_ground_below(io::ImageView ground, io::ImageView overlay);

}  // namespace crossfix::draw
