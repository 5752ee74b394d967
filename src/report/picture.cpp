#include "picture.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/cpu/resize.hpp"

namespace crossfix::report {

namespace {

/// Tried in this order. The last is accepted whatever its size once the picture has
/// `kSmallestSide`.
constexpr std::array<int, 4> kQualities{86, 76, 64, 50};
constexpr Index kSmallestSide = 64;

/// The length of `side` if `longer` is reduced to `limit`, all in pixels.
Index shrunk(Index side, Index longer, Index limit) {
  return longer <= limit ? side : std::max<Index>(1, (side * limit + longer / 2) / longer);
}

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t given = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < given ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= given ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return text;
}

Picture::Picture(io::ImageView image, std::string caption) : caption_(std::move(caption)) {
  const bool rgb = image.extent(2) == 3 && image.extent(0) > 0 && image.extent(1) > 0;
  if (!rgb) {
    throw ImageError("a picture of shape " + to_string(image.shape()) +
                     " cannot go into a report; [height, width, 3] is taken");
  }
  const Index longer = std::max(image.extent(0), image.extent(1));
  std::vector<std::byte> file;
  for (Index limit = kPictureSide; file.empty(); limit /= 2) {
    height_ = shrunk(image.extent(0), longer, limit);
    width_ = shrunk(image.extent(1), longer, limit);
    cpu::Resizer resizer({image.extent(0), image.extent(1)}, {height_, width_});
    const io::ImageView small = resizer(image);
    for (const int quality : kQualities) {
      file = io::encode_jpeg(small, quality);
      if (file.size() <= kPictureBytes) break;
    }
    if (file.size() > kPictureBytes && limit > kSmallestSide) file.clear();
  }
  data_uri_ = "data:image/jpeg;base64," + base64(file);
}

}  // namespace crossfix::report
