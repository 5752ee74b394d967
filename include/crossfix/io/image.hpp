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

/// Largest width and height read, unless a call says otherwise, or written, pixels. Checked in the
/// header, before any memory is taken for pixels.
inline constexpr Index kMaximumImageSide = 16384;

/// Reads a PNG or JPEG, told apart by content, as a viewer shows it: grey and palette become RGB,
/// 16 bits become 8, transparency is laid over white, CMYK and YCCK are taken as inverted (what
/// Adobe writes and viewers assume), EXIF orientation is applied. Colour profiles are ignored.
///
/// Throws ImageError for a file that is missing, empty, cut short, damaged, too large, or neither.
Image read_image(const std::filesystem::path& path, Index maximum_side = kMaximumImageSide);

/// The same from the bytes of a file; `name` is what messages call it.
Image read_image(std::span<const std::byte> bytes, std::string_view name,
                 Index maximum_side = kMaximumImageSide);

/// PNG, 8-bit RGB. `compression` is zlib's, 0 (none) to 9 (smallest). The same image gives the same
/// bytes. Throws ImageError for an image that is empty, too large, or not of three channels.
std::vector<std::byte> encode_png(ImageView image, int compression = 6);

/// JPEG, YCbCr 4:2:0, `quality` 1 to 100. Throws as `encode_png`.
std::vector<std::byte> encode_jpeg(ImageView image, int quality = 92);

/// Writes the file whole or not at all. Throws ImageError as `encode_png`, DataError where the
/// path cannot be written.
void write_png(const std::filesystem::path& path, ImageView image, int compression = 6);
void write_jpeg(const std::filesystem::path& path, ImageView image, int quality = 92);

}  // namespace crossfix::io
