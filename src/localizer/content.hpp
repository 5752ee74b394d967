#pragma once

#include "crossfix/core/image_view.hpp"

namespace crossfix {

/// An image of less content than this shows nothing that could be matched: a black frame, a grey or
/// white tile, one with a line of text. Photographs and the synthetic world have 0.25 and more.
inline constexpr double kLeastContent = 0.1;

/// The share of an 8-bit RGB image [height, width, 3] that shows anything, from 0 to 1: of 16 x 16
/// patches, those in which a channel's standard deviation is at least `camera::kPaddingDeviation`.
/// Of large patches not every pixel is read.
double content_of(const HostImageView& image);

}  // namespace crossfix
