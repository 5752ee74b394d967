#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "crossfix/core/tensor.hpp"

namespace crossfix::io {

/// An 8-bit sRGB image [height, width, 3], rows from the top, and a view of one.
using Image = Tensor<std::uint8_t, 3>;
using ImageView = TensorView<const std::uint8_t, 3>;

/// Largest width and height, in pixels, that are written, and that are read unless a call specifies
/// another limit.
inline constexpr Index kMaximumImageSide = 16384;

/// What an image may have. Checked in the header, before memory for pixels is allocated, of which
/// reading takes up to 13 bytes a pixel.
struct ImageLimits {
  Index side = kMaximumImageSide;
  Index pixels = Index{1} << 27;  ///< a panorama of 16384 x 8192
};

/// Reads a PNG or JPEG file as a viewer shows it. The format is detected from the content. Grey and
/// palette images become RGB. 16 bits become 8. Transparency is blended over white. CMYK and YCCK
/// are taken as inverted (Adobe writes them so, and viewers assume it). EXIF orientation is
/// applied. Colour profiles are ignored.
///
/// Throws ImageError if the file is missing, empty, truncated, damaged, too large, or of another
/// format.
Image read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The same from the bytes of a file; `name` is used in messages.
Image read_image(std::span<const std::byte> bytes, std::string_view name,
                 const ImageLimits& limits = {});

/// Height and width of the image that `read_image` would read, from the beginning of the file.
/// Throws ImageError if that is of no PNG or JPEG; what follows it may be damaged.
Shape<2> read_image_size(const std::filesystem::path& path, const ImageLimits& limits = {});

/// Encodes 8-bit RGB as PNG. `compression` is zlib's level, 0 (none) to 9 (smallest). The same
/// image gives the same bytes. Throws ImageError if the image is empty, too large, or does not have
/// three channels.
std::vector<std::byte> encode_png(ImageView image, int compression = 6);

/// Encodes as JPEG, YCbCr 4:2:0, `quality` 1 to 100. Throws as `encode_png`.
std::vector<std::byte> encode_jpeg(ImageView image, int quality = 92);

/// Writes the file completely or not at all. Throws ImageError as `encode_png`, DataError if the
/// path cannot be written.
void write_png(const std::filesystem::path& path, ImageView image, int compression = 6);
void write_jpeg(const std::filesystem::path& path, ImageView image, int quality = 92);

}  // namespace crossfix::io
