/// Shared by the readers and writers of the image formats.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "crossfix/io/photo.hpp"

namespace crossfix::io {

using Bytes = std::span<const std::byte>;

/// Throws ImageError for a side of 0, or a size beyond the limits.
void check_image_size(std::string_view name, Index height, Index width, const ImageLimits& limits);

/// Throws ImageError unless the view can be encoded: [height, width, 3], with a size within limits.
void check_encodable(ImageView image);

/// Copies row `row` of an image of any strides to `out` [3 * width].
void copy_row(ImageView image, Index row, std::uint8_t* out);

bool is_png(Bytes bytes);
Image read_png(Bytes bytes, std::string_view name, const ImageLimits& limits);
/// Height and width, from the beginning of a file.
Shape<2> png_size(Bytes bytes, std::string_view name);

bool is_jpeg(Bytes bytes);
Image read_jpeg(Bytes bytes, std::string_view name, const ImageLimits& limits);
/// Height and width of the picture as it is shown, from the beginning of a file.
Shape<2> jpeg_size(Bytes bytes, std::string_view name);

/// What stands beside the pixels of a file, where it stands: parts of its bytes. Empty: nothing.
struct Metadata {
  Bytes exif;  ///< a TIFF structure
  Bytes xmp;   ///< an XML packet
};
Metadata png_metadata(Bytes bytes);
/// Of the segments before the pixels.
Metadata jpeg_metadata(Bytes bytes);

/// The EXIF orientation, 1 to 8. 1 if there is none, or if it is damaged (viewers show such a
/// picture unrotated).
int exif_orientation(Bytes exif);

/// What an XMP packet says of a panorama; damaged ones say nothing.
PanoramaTags panorama_tags(Bytes xmp);

/// Whether an orientation makes rows of columns.
constexpr bool is_transposed(int orientation) { return orientation >= 5; }

/// The image rotated and mirrored according to its EXIF orientation.
Image oriented(Image image, int orientation);

}  // namespace crossfix::io
