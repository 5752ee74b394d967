/// PNG files of every kind, built from the definition of the format, without libpng.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace crossfix::test {

/// What zlib makes of a text.
inline std::string packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string bytes(size, '\0');
  compress(reinterpret_cast<Bytef*>(bytes.data()), &size,
           reinterpret_cast<const Bytef*>(text.data()), static_cast<uLong>(text.size()));
  bytes.resize(size);
  return bytes;
}

class PngBuilder {
 public:
  /// colour: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
  PngBuilder(std::uint32_t width, std::uint32_t height, int depth, int colour, bool interlaced) {
    bytes_ = "\x89PNG\r\n\x1a\n";
    const std::string rest{static_cast<char>(depth), static_cast<char>(colour), 0, 0,
                           static_cast<char>(interlaced ? 1 : 0)};
    chunk("IHDR", big_endian(width) + big_endian(height) + rest);
  }

  PngBuilder& chunk(const std::string& type, const std::string& body) {
    const std::string checked = type + body;
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    bytes_ += big_endian(static_cast<std::uint32_t>(body.size())) + checked +
              big_endian(static_cast<std::uint32_t>(sum));
    return *this;
  }

  /// The rows, each led by its filter byte, one after the other (pass after pass if interlaced).
  PngBuilder& data(const std::string& rows) { return chunk("IDAT", packed(rows)); }

  std::string finish() { return chunk("IEND", "").bytes_; }

 private:
  static std::string big_endian(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xffU);
    return text;
  }

  std::string bytes_;
};

/// Corrects the checksums of a PNG's chunks, so that the damage reaches the code behind the checks.
inline std::string with_checksums(std::string png) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(png[at]); };
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | byte(at + i);
    if (length > png.size() - at - 12) break;
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(&png[at + 4]), static_cast<uInt>(length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      png[at + 8 + length + i] = static_cast<char>(sum >> (24 - 8 * i) & 0xffU);
    }
    at += 12 + length;
  }
  return png;
}

}  // namespace crossfix::test
