#include "raster.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace crossfix::world {

namespace {

constexpr int kContrast = 8;  // levels of 255; too small to be noticed in texture

std::uint8_t encode(float value) {
  static const std::array<std::uint8_t, kDisplaySteps + 1> table = [] {
    std::array<std::uint8_t, kDisplaySteps + 1> t{};
    for (int i = 0; i <= kDisplaySteps; ++i) t[static_cast<std::size_t>(i)] = display_level(i);
    return t;
  }();
  return table[static_cast<std::size_t>(display_step(value))];
}

std::size_t offset(const Raster& image, int row, int column) {
  return (static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
          static_cast<std::size_t>(column)) *
         3;
}

}  // namespace

Raster Raster::blank(int height, int width) {
  Raster image{height, width, {}};
  image.rgb.resize(offset(image, height, 0));
  return image;
}

void Raster::set(int row, int column, Vec3 colour) {
  const std::size_t at = offset(*this, row, column);
  rgb[at] = encode(colour.x);
  rgb[at + 1] = encode(colour.y);
  rgb[at + 2] = encode(colour.z);
}

std::vector<bool> find_contrast(const Raster& image, bool wraps) {
  std::vector<bool> found(image.rgb.size() / 3);
  const auto compare = [&](std::size_t a, std::size_t b) {
    for (std::size_t k = 0; k < 3; ++k) {
      if (std::abs(image.rgb[a + k] - image.rgb[b + k]) > kContrast) {
        found[a / 3] = true;
        found[b / 3] = true;
        return;
      }
    }
  };
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column) {
      const std::size_t here = offset(image, row, column);
      const bool below = row + 1 < image.height;
      if (below) compare(here, offset(image, row + 1, column));
      if (column + 1 == image.width && !wraps) continue;
      const int right = (column + 1) % image.width;
      compare(here, offset(image, row, right));
      if (!below) continue;
      compare(here, offset(image, row + 1, right));
      compare(offset(image, row + 1, column), offset(image, row, right));
    }
  }
  return found;
}

}  // namespace crossfix::world
