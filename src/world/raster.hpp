/// Images as they are rendered.
#pragma once

#include <cstdint>
#include <vector>

#include "vec.hpp"

namespace crossfix::world {

/// An 8-bit RGB image, row-major.
struct Raster {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> rgb;

  /// A black image.
  static Raster blank(int height, int width);
  /// Sets a pixel from linear RGB, clamped to [0, 1].
  void set(int row, int column, Vec3 colour);
};

/// One flag a pixel, row-major: whether it differs visibly from one of its eight neighbours. Where
/// `wraps`, the last column is next to the first.
std::vector<bool> find_contrast(const Raster& image, bool wraps);

}  // namespace crossfix::world
