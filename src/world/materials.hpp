/// Procedural colours of the ground and of solids: the same in both views.
#pragma once

#include "scene.hpp"

namespace crossfix::world {

/// What light meets at a point.
struct SurfaceSample {
  Vec3 albedo;         ///< linear RGB
  Vec3 normal;         ///< unit, bumps included
  float gloss = 0.0F;  ///< share of the mirrored sky
};

/// What the time of the year does to leaves and grass; each in [0, 1].
struct Season {
  float autumn = 0.0F;
  float winter = 0.0F;
};

/// The ground at p (metres).
SurfaceSample sample_ground(const Scene& scene, const Season& season, Vec2 p);

/// A solid's surface at `point` with geometric normal `normal`.
SurfaceSample sample_solid(const Scene& scene, const Season& season, const Solid& solid, Vec3 point,
                           Vec3 normal);

}  // namespace crossfix::world
