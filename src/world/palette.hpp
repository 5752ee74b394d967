/// Colours and materials of what a city is made of.
#pragma once

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

/// A building's material: wall and roof go together, so that the one tells the other.
Material random_facade(Random& random);
/// A tree's crown.
Material random_leaves(Random& random);
/// A car's paint.
Vec3 random_paint(Random& random);

}  // namespace crossfix::world
