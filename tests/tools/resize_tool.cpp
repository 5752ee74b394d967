/// crossfix-resize IN HEIGHT WIDTH OUT.png: resizes an image as for the network's input, before
/// normalisation, to compare the filter with Pillow's.
#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

#include "crossfix/core/error.hpp"
#include "crossfix/cpu/resize.hpp"
#include "crossfix/io/image.hpp"

namespace {

using crossfix::Index;

/// A side in pixels, or 0 if the text is not one.
Index side_of(std::string_view text) {
  Index side = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && side >= 1 && side <= crossfix::io::kMaximumImageSide ? side : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Index height = argc == 5 ? side_of(argv[2]) : 0;
  const Index width = argc == 5 ? side_of(argv[3]) : 0;
  if (height == 0 || width == 0) {
    std::fprintf(stderr,
                 "usage: crossfix-resize IN HEIGHT WIDTH OUT.png\n"
                 "HEIGHT and WIDTH are pixels, 1 to %d\n"
                 "example: crossfix-resize tile.png 256 256 small.png\n",
                 static_cast<int>(crossfix::io::kMaximumImageSide));
    return 2;
  }
  try {
    const crossfix::io::Image image = crossfix::io::read_image(argv[1]);
    crossfix::cpu::Resizer resizer({image.extent(0), image.extent(1)}, {height, width});
    crossfix::io::write_png(argv[4], resizer(image));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crossfix-resize: error: %s\n", error.what());
    return 3;
  }
  return 0;
}
