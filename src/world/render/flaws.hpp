/// What a real camera adds to a view: it is not quite level or facing north, it has noise, and its
/// JPEG files lose detail.
#pragma once

#include <cstdint>

#include "raster.hpp"
#include "world/plan/vec.hpp"

namespace crossfix::world {

/// Standard deviations of the attitude of a panorama (degrees).
inline constexpr double kHeadingError = 1.0;
inline constexpr double kTiltError = 0.7;

/// The flaws of one image.
struct Flaws {
  float heading = 0.0F;    ///< direction of the centre column, radians clockwise from north
  float pitch = 0.0F;      ///< of the centre above the horizon, radians
  float roll = 0.0F;       ///< about the axis of the view, clockwise, radians
  Vec2 lean;               ///< of upright things in a tile, metres to the side a metre of height
  float noise = 0.0F;      ///< standard deviation, grey levels
  int jpeg_quality = 90;   ///< of a panorama
  std::uint64_t seed = 0;  ///< of the noise
};

/// The flaws of an image, from its key.
Flaws random_flaws(std::uint64_t key);

/// What a camera with these flaws sees, from a level panorama that looks north; bilinear.
Raster turned(const Raster& panorama, const Flaws& flaws);

/// Adds the noise of the sensor.
void add_noise(Raster& image, const Flaws& flaws);

}  // namespace crossfix::world
