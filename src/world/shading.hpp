/// Light on surfaces, and the sky.
#pragma once

#include "materials.hpp"
#include "rays.hpp"
#include "renderer.hpp"

namespace crossfix::world {

/// The sky along the unit vector d.
Vec3 sky_colour(const Light& light, Vec3 d);

/// A surface at `point` with unit normal `geometric`, seen along the unit vector `view`.
Vec3 shade(const Shadows& shadows, const Light& light, const SurfaceSample& surface, Vec3 point,
           Vec3 geometric, Vec3 view);

}  // namespace crossfix::world
