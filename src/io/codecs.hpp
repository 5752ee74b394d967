/// Shared by the readers and writers of the image formats.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// A packet of a JPEG segment has 64 KB; no panorama's needs more.
inline constexpr std::size_t kMaximumPacketBytes = std::size_t{1} << 20;

/// What stands beside the pixels of a file, in its order.
struct ImageMetadata {
  std::vector<Bytes> exif;       ///< TIFF structures, which are parts of the file's bytes
  std::vector<std::string> xmp;  ///< XML packets

  /// Leaves out what begins a TIFF structure in a JPEG.
  void add_exif(Bytes body);
  /// Packets beyond a few, and larger ones, are left out.
  void add_xmp(std::string_view packet);
};
ImageMetadata png_metadata(Bytes bytes);
/// Of the segments before the pixels.
ImageMetadata jpeg_metadata(Bytes bytes);

/// The EXIF orientation, 1 to 8; else that of XMP. 1 if there is none, or if it is damaged (viewers
/// show such a picture unrotated).
int orientation_of(const ImageMetadata& metadata);

/// The orientation that XMP packets say, 1 to 8.
std::optional<int> xmp_orientation(const std::vector<std::string>& packets);

/// What XMP packets say of a panorama. Of damaged ones, what stands before the damage.
PanoramaTags panorama_tags(const std::vector<std::string>& packets);

/// Whether an orientation makes rows of columns.
constexpr bool is_transposed(int orientation) { return orientation >= 5; }

/// The image rotated and mirrored according to its EXIF orientation.
Image oriented(Image image, int orientation);

}  // namespace crossfix::io
