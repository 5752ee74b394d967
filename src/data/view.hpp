#pragma once

#include "crossfix/camera/camera.hpp"
#include "crossfix/io/image.hpp"

namespace crossfix::data {

/// The image [camera.height(), camera.width(), 3] that a camera mounted so would have taken where a
/// panorama [h, w, 3] was: whole, level, its centre column looking north. A mount without a heading
/// looks north; its height and standard deviations are not read. A sample is bilinear, across the
/// panorama's seam too; above the middle of its first row, and below that of its last one, it is of
/// that row. A pixel is the mean of 1, or where it is wider than the panorama's own of 2 x 2 and
/// more samples. It is black where the camera sees no direction. `draw` of
/// training/crossfix_training/views.py gives the same.
///
/// Throws ImageError for an image that is not twice as wide as high, as whole panoramas are.
io::Image draw_view(io::ImageView panorama, const camera::Camera& camera,
                    const camera::Mount& mount);

}  // namespace crossfix::data
