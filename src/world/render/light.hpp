/// The light of an image.
#pragma once

#include <cstdint>

#include "materials.hpp"
#include "world/plan/ray_code.hpp"
#include "world/plan/vec.hpp"

namespace crossfix::world {

/// Sun, sky, season and camera response of one image. Colours are linear RGB.
struct Light {
  Vec3 sun_direction{0.0F, 0.0F, 1.0F};  ///< unit, towards the sun
  Vec3 sun{1.0F, 1.0F, 1.0F};            ///< zero under an overcast sky
  Vec3 ambient{0.4F, 0.4F, 0.45F};       ///< on a surface that faces up
  Vec3 zenith{0.1F, 0.25F, 0.6F};
  Vec3 horizon{0.6F, 0.7F, 0.8F};
  float clouds = 0.5F;  ///< share of the sky covered
  float haze = 0.002F;  ///< extinction per metre
  Vec3 gain{1.0F, 1.0F, 1.0F};
  std::uint32_t seed = 0;
  std::uint32_t date = 0;  ///< decides which cars and people are there
  Season season;
};

/// The unit vector at an azimuth (radians clockwise from north) and an elevation (radians).
CROSSFIX_RAY_CODE Vec3 direction_of(float azimuth, float elevation) {
  return {std::cos(elevation) * std::sin(azimuth), std::cos(elevation) * std::cos(azimuth),
          std::sin(elevation)};
}

/// The date of a panorama, from its key.
std::uint32_t date_of(std::uint64_t key);

/// The light of a panorama, from its key: sun from anywhere or an overcast sky, any season.
Light random_ground_light(std::uint64_t key);
/// The light of a city's tiles, from its key: a high sun in a clear sky.
Light random_aerial_light(std::uint64_t key);

}  // namespace crossfix::world
