/// Images as they are rendered.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "world/plan/ray_code.hpp"
#include "world/plan/vec.hpp"

namespace crossfix::world {

inline constexpr int kDisplaySteps = 4096;

/// The step of [0, kDisplaySteps] that a linear value, clamped to [0, 1], lies on; rounded down.
constexpr int display_step(float value) {
  return static_cast<int>(std::clamp(value, 0.0F, 1.0F) * static_cast<float>(kDisplaySteps));
}
/// Linear to display: gamma 2, as in the palette of the city.
CROSSFIX_RAY_CODE std::uint8_t display_level(int step) {
  return static_cast<std::uint8_t>(
      255.0 * std::sqrt(static_cast<double>(step) / static_cast<double>(kDisplaySteps)) + 0.5);
}

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

/// One flag a pixel, row-major: whether it differs visibly from one of its eight neighbours. If
/// `wraps`, the last column is next to the first.
std::vector<bool> find_contrast(const Raster& image, bool wraps);

}  // namespace crossfix::world
