#pragma once

#include "crossfix/core/image_view.hpp"

namespace crossfix {

/// An image of less content than this shows nothing that could be matched: a black frame, a grey or
/// white tile, noise, one with a line of text, one that is covered by a patch. Panoramas have 0.32
/// and more (29 photographed, 250 drawn), tiles 0.44 (29 and 150).
inline constexpr double kLeastContent = 0.25;

/// A tile of less content than this is covered in part.
inline constexpr double kCoveredContent = 0.4;

/// The share of an 8-bit RGB image [height, width, 3] that shows anything, from 0 to 1: of 16 x 16
/// patches, or fewer of at least 32 pixels, those in which a channel has more than a shade that
/// changes evenly, and noise. Of large patches not every pixel is read.
double content_of(const HostImageView& image);

}  // namespace crossfix
