/// EXIF orientation (CIPA DC-008, tag 0x0112): the sides of the picture to which the first row and
/// the first column of the stored pixels belong; and what else a file says beside them.
#include "codecs.hpp"

namespace crossfix::io {

namespace {

/// Reads integers of a TIFF structure, in its own byte order. Reads past the end give 0.
struct Tiff {
  Bytes bytes;
  bool big_endian = false;

  std::size_t read(std::size_t at, std::size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t byte = big_endian ? i : size - 1 - i;
      value = value << 8 | std::to_integer<std::size_t>(bytes[at + byte]);
    }
    return value;
  }
};

/// What a TIFF structure says, 1 to 8.
std::optional<int> exif_orientation(Bytes exif) {
  constexpr std::size_t kEntryBytes = 12;
  constexpr std::size_t kOrientation = 0x0112;
  if (exif.size() < 8) return {};
  const Tiff tiff{exif, exif[0] == std::byte{'M'}};
  const std::size_t directory = tiff.read(4, 4);
  const std::size_t entries = tiff.read(directory, 2);
  for (std::size_t entry = 0; entry < entries; ++entry) {
    const std::size_t at = directory + 2 + entry * kEntryBytes;
    if (tiff.read(at, 2) != kOrientation) continue;
    // The standard's type is SHORT; some programs write BYTE or LONG.
    const std::size_t type = tiff.read(at + 2, 2);
    const std::size_t bytes = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    const std::size_t value = tiff.read(at + 8, bytes);
    if (value >= 1 && value <= 8) return static_cast<int>(value);
  }
  return {};
}

}  // namespace

void ImageMetadata::add_exif(Bytes body) {
  constexpr std::string_view kMark("Exif\0\0", 6);
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  exif.push_back(body.subspan(text.starts_with(kMark) ? kMark.size() : 0));
}

void ImageMetadata::add_xmp(std::string_view packet) {
  constexpr std::size_t kMostPackets = 8;
  if (xmp.size() < kMostPackets && packet.size() <= kMaximumPacketBytes) xmp.emplace_back(packet);
}

int orientation_of(const ImageMetadata& metadata) {
  for (const Bytes exif : metadata.exif) {
    if (const auto orientation = exif_orientation(exif)) return *orientation;
  }
  return xmp_orientation(metadata.xmp).value_or(1);
}

Image oriented(Image image, int orientation) {
  if (orientation == 1) return image;
  const Index height = image.extent(0);
  const Index width = image.extent(1);
  const bool transposed = is_transposed(orientation);
  // Which stored axis must be reversed so that the picture's rows run down and its columns right.
  const bool flip_rows =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool flip_cols =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image upright({transposed ? width : height, transposed ? height : width, 3});
  std::uint8_t* out = upright.data();
  for (Index row = 0; row < upright.extent(0); ++row) {
    for (Index col = 0; col < upright.extent(1); ++col) {
      Index from_row = transposed ? col : row;
      Index from_col = transposed ? row : col;
      if (flip_rows) from_row = height - 1 - from_row;
      if (flip_cols) from_col = width - 1 - from_col;
      const std::uint8_t* in = image.data() + (from_row * width + from_col) * 3;
      for (int channel = 0; channel < 3; ++channel) *out++ = in[channel];
    }
  }
  return upright;
}

}  // namespace crossfix::io
