/// Colours and materials of what a city is made of.
#pragma once

#include <cstdint>

#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Linear RGB of a hue in turns, saturation and value of the display colour.
Vec3 hsv(float hue, float saturation, float value);

struct Range {
  float low;
  float high;
};

/// A colour drawn from ranges as of `hsv`.
Vec3 random_colour(Random& random, Range hue, Range saturation, Range value);

/// Some of the palettes of buildings, a bit each.
using Facades = std::uint32_t;
inline constexpr int kFacadeCount = 14;
inline constexpr Facades kAllFacades = (1U << kFacadeCount) - 1U;

/// A building's material, by one of `facades`. Wall and roof go together, so that the one tells the
/// other, but for the share `odd_roofs` of them.
Material random_facade(Random& random, Facades facades = kAllFacades, float odd_roofs = 0.0F);
/// A tree's crown.
Material random_leaves(Random& random);
/// A car's paint.
Vec3 random_paint(Random& random);

}  // namespace crossfix::world
