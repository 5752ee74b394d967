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

/// The ground at p (metres).
SurfaceSample sample_ground(const Scene& scene, Vec2 p);

/// A solid's surface at `point` with geometric normal `normal`.
SurfaceSample sample_solid(const Scene& scene, const Solid& solid, Vec3 point, Vec3 normal);

}  // namespace crossfix::world
