/// Light on surfaces, and the sky.
#pragma once

#include <algorithm>
#include <cmath>

#include "light.hpp"
#include "materials.hpp"
#include "rays.hpp"
#include "world/plan/random.hpp"
#include "world/plan/ray_code.hpp"

namespace crossfix::world {

/// The sky along the unit vector d.
CROSSFIX_RAY_CODE Vec3 sky_colour(const Light& light, Vec3 d) {
  const float up = std::max(d.z, 0.0F);
  Vec3 colour = mix(light.horizon, light.zenith, std::min(1.0F, std::sqrt(up) * 1.1F));
  if (up > 0.02F && light.clouds > 0.02F) {
    const float scale = 1.0F / (up + 0.12F);
    const float u = d.x * scale * 1.6F;
    const float v = d.y * scale * 1.6F;
    const float cover = 0.6F * value_noise(u, v, light.seed) +
                        0.3F * value_noise(u * 2.3F, v * 2.3F, light.seed + 1) +
                        0.1F * value_noise(u * 5.1F, v * 5.1F, light.seed + 2);
    const float cloud = std::clamp((cover - 1.0F + light.clouds) * 3.0F, 0.0F, 1.0F);
    colour = mix(colour, Vec3{0.85F, 0.86F, 0.88F}, cloud * 0.85F);
  }
  const float glow = std::max(0.0F, dot(d, light.sun_direction));
  if (light.sun.x > 0.0F && glow > 0.97F) colour = colour + light.sun * ((glow - 0.97F) * 25.0F);
  return colour;
}

/// The colour of a surface at `point` with unit normal `geometric`, seen along the unit vector
/// `view`.
CROSSFIX_RAY_CODE Vec3 shade(const ShadowView& shadows, const Light& light,
                             const SurfaceSample& surface, Vec3 point, Vec3 geometric, Vec3 view) {
  constexpr float kShadowStart = 0.02F;  // metres off the surface
  Vec3 lit = light.ambient * (0.62F + 0.38F * surface.normal.z);
  if (light.sun.x > 0.0F) {
    const float facing = std::min(dot(surface.normal, light.sun_direction), 1.0F);
    if (facing > 0.0F && dot(geometric, light.sun_direction) > 0.0F &&
        !shadows.cover(point + geometric * kShadowStart)) {
      lit = lit + light.sun * facing;
    }
  }
  Vec3 colour = surface.albedo * lit;
  if (surface.gloss > 0.0F) {
    const Vec3 mirrored = view - surface.normal * (2.0F * dot(view, surface.normal));
    const Vec3 sky = mix(light.horizon, light.zenith, std::clamp(mirrored.z, 0.0F, 1.0F));
    colour = mix(colour, sky, surface.gloss * (mirrored.z > 0.0F ? 1.0F : 0.4F));
  }
  return colour;
}

}  // namespace crossfix::world
