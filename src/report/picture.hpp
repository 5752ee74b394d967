#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "crossfix/io/image.hpp"

namespace crossfix::report {

/// Base 64 of RFC 4648, padded, on one line.
std::string base64(std::span<const std::byte> bytes);

/// Pixels of a picture's longer side, and bytes of its file. Twenty pairs of three pictures stay
/// below 4.1 MB as base 64.
inline constexpr Index kPictureSide = 720;
inline constexpr std::size_t kPictureBytes = 50'000;

/// An image as the report stores it: small, compressed, with its caption. Make one as soon as the
/// image is there, and release the image.
class Picture {
 public:
  /// Shrinks the image to `kPictureSide` and compresses it as JPEG to `kPictureBytes`, by lowering
  /// the quality and then the size. `caption` describes in words what the picture shows. Throws
  /// ImageError for an image that is empty or has not three channels.
  Picture(io::ImageView image, std::string caption);

  const std::string& data_uri() const { return data_uri_; }
  const std::string& caption() const { return caption_; }
  Index height() const { return height_; }
  Index width() const { return width_; }

 private:
  std::string caption_;
  std::string data_uri_;
  Index height_ = 0;
  Index width_ = 0;
};

}  // namespace crossfix::report
