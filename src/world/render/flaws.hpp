/// What a real camera adds to a view: it is not quite level or north, it has noise, and its JPEG
/// files lose detail.
#pragma once

#include <cstdint>

#include "raster.hpp"
#include "world/plan/vec.hpp"

namespace crossfix::world {

/// Standard deviations of a panorama's attitude (degrees).
inline constexpr double kHeadingError = 1.0;
inline constexpr double kTiltError = 0.7;

/// The flaws of one image.
struct Flaws {
  float heading = 0.0F;    ///< what the centre column looks at, radians clockwise from north
  float pitch = 0.0F;      ///< how far the centre looks above the horizon, radians
  float roll = 0.0F;       ///< about the view's axis, clockwise, radians
  Vec2 lean;               ///< of what stands up in a tile, metres aside a metre of height
  float noise = 0.0F;      ///< standard deviation, grey levels
  int jpeg_quality = 90;   ///< of a panorama
  std::uint64_t seed = 0;  ///< of the noise
};

/// An image's flaws, by its key.
Flaws random_flaws(std::uint64_t key);

/// A level panorama that looks north as a camera with these flaws sees it, bilinear.
Raster turned(const Raster& panorama, const Flaws& flaws);

/// Adds the sensor's noise.
void add_noise(Raster& image, const Flaws& flaws);

}  // namespace crossfix::world
