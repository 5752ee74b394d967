/// Colours and materials of the things in a city.
#pragma once

#include <cstdint>

#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Linear RGB from a hue in turns, saturation and value of the display colour.
Vec3 hsv(float hue, float saturation, float value);

struct Range {
  float low;
  float high;
};

/// A colour drawn from ranges of what `hsv` takes.
Vec3 random_colour(Random& random, Range hue, Range saturation, Range value);

/// A set of palettes of buildings, one bit each.
using Facades = std::uint32_t;
inline constexpr int kFacadeCount = 14;
inline constexpr Facades kAllFacades = (1U << kFacadeCount) - 1U;

/// The material of a building, from one of `facades`. Wall and roof go together, so that one can be
/// guessed from the other, except for a share `odd_roofs`.
Material random_facade(Random& random, Facades facades = kAllFacades, float odd_roofs = 0.0F);
/// The crown of a tree.
Material random_leaves(Random& random);
/// The paint of a car.
Vec3 random_paint(Random& random);

}  // namespace crossfix::world
