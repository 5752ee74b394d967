/// What a ray of either view sees.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "light.hpp"
#include "rays.hpp"
#include "shading.hpp"
#include "world/plan/ray_code.hpp"

namespace crossfix::world {

inline constexpr float kPanoramaReach = 220.0F;  ///< metres that a panorama sees

/// The colour of a solid's surface at `point`, or of the ground below it if `solid` is null, seen
/// along the unit vector `view`.
CROSSFIX_RAY_CODE Vec3 surface_colour(const ShadowView& shadows, const Light& light,
                                      const Solid* solid, Vec3 point, Vec3 normal, Vec3 view) {
  if (solid == nullptr) {
    return shade(shadows, light, sample_ground(shadows.scene, light.season, {point.x, point.y}),
                 {point.x, point.y, 0.0F}, {0.0F, 0.0F, 1.0F}, view);
  }
  return shade(shadows, light, sample_solid(shadows.scene, light.season, *solid, point, normal),
               point, normal, view);
}

/// The colour seen from above at the point p of the ground, with a lean of `lean` metres to the
/// side a metre of height.
CROSSFIX_RAY_CODE Vec3 look_down(const ShadowView& shadows, const Light& light, Vec2 p, Vec2 lean) {
  const SceneView& scene = shadows.scene;
  const Vec3 d{lean.x, lean.y, -1.0F};
  const float high = scene.top + 1.0F;
  const Vec3 start{p.x - high * lean.x, p.y - high * lean.y, high};
  const float slant = length(lean);
  Hit hit;
  hit.t = high;
  const Solid* nearest = nullptr;
  const auto meet = [&](const Solid& solid) {
    if (solid.z1 < high - hit.t) return;
    const Vec2 off = p - lean * (0.5F * (solid.z0 + solid.z1)) - solid.centre;
    const float reach = solid.radius + 0.5F * slant * (solid.z1 - solid.z0);
    if (dot(off, off) > reach * reach || !solid.is_there(light.date)) return;
    if (intersect(solid, start, d, hit)) nearest = &solid;
  };
  walk_cells(scene.solid_cells, {start.x, start.y}, lean, high,
             [&](int ix, int iy, float t, float) {
               if (t > hit.t) return false;
               for (const std::uint32_t i : scene.solid_cells.at(ix, iy)) meet(scene.solids[i]);
               return true;
             });
  const Vec3 point = nearest == nullptr ? Vec3{p.x, p.y, 0.0F} : start + d * hit.t;
  return surface_colour(shadows, light, nearest, point, hit.normal, normalised(d));
}

/// The colour of a tile's pixel: the mean of samples x samples rays. Tiles as for
/// TileRenderer::render.
CROSSFIX_RAY_CODE Vec3 tile_pixel(const ShadowView& shadows, const Light& light, Vec2 centre,
                                  float metres, int size, int row, int column, int samples,
                                  Vec2 lean) {
  const float pixel = metres / static_cast<float>(size);
  const float step = pixel / static_cast<float>(samples);
  const float x0 = centre.x - 0.5F * metres + static_cast<float>(column) * pixel;
  const float y0 = centre.y + 0.5F * metres - static_cast<float>(row) * pixel;
  Vec3 sum;
  for (int i = 0; i < samples; ++i) {
    for (int j = 0; j < samples; ++j) {
      sum = sum + look_down(shadows, light,
                            {x0 + (static_cast<float>(j) + 0.5F) * step,
                             y0 - (static_cast<float>(i) + 0.5F) * step},
                            lean);
    }
  }
  return sum * (light.gain * (1.0F / static_cast<float>(samples * samples)));
}

/// A ray of a panorama, before it has met anything. It goes along the horizontal unit vector
/// `direction`, at an elevation given by its tangent and cosine.
struct PanoramaRay {
  Vec3 eye;
  Vec2 direction;
  float tangent;
  float cosine;

  /// The way for each metre along the ground.
  [[nodiscard]] constexpr Vec3 way() const { return {direction.x, direction.y, tangent}; }
  /// Where the ray ends on the ground or has risen above everything, along the ground (metres).
  [[nodiscard]] constexpr float limit(float top) const {
    return tangent < 0.0F ? -eye.z / tangent : (top - eye.z) / tangent;
  }
  /// Whether the ray ends in the sky if it meets no solid.
  [[nodiscard]] constexpr bool open(float top) const {
    return tangent >= 0.0F || limit(top) >= kPanoramaReach;
  }
};

/// The colour that such a ray sees if it ends at hit.t on `solid`, or on the ground if that is
/// null.
CROSSFIX_RAY_CODE Vec3 end_colour(const ShadowView& shadows, const Light& light,
                                  const PanoramaRay& ray, const Solid* solid, const Hit& hit) {
  const Vec3 d = ray.way();
  const Vec3 colour =
      surface_colour(shadows, light, solid, ray.eye + d * hit.t, hit.normal, d * ray.cosine);
  const float x = hit.t * light.haze;
  return mix(colour, light.horizon, x / (1.0F + x));
}

/// The colour along a ray, found cell by cell; false if the ray meets the sky.
CROSSFIX_RAY_CODE bool look_around(const ShadowView& shadows, const Light& light,
                                   const PanoramaRay& ray, Vec3& colour) {
  const SceneView& scene = shadows.scene;
  Hit hit;
  hit.t = std::min(float{kPanoramaReach}, ray.limit(scene.top));
  const Solid* nearest = nullptr;
  const CellView& cells = scene.solid_cells;
  walk_cells(cells, {ray.eye.x, ray.eye.y}, ray.direction, kPanoramaReach,
             [&](int ix, int iy, float t_in, float t_out) {
               if (t_in > hit.t) return false;
               const float lowest = ray.eye.z + (ray.tangent < 0.0F ? t_out : t_in) * ray.tangent;
               if (lowest > scene.cell_top[cells.number(ix, iy)]) return true;
               for (const std::uint32_t i : cells.at(ix, iy)) {
                 const Solid& solid = scene.solids[i];
                 if (solid.z1 < lowest || !solid.is_there(light.date)) continue;
                 if (intersect(solid, ray.eye, ray.way(), hit)) nearest = &solid;
               }
               return true;
             });
  if (nearest == nullptr && ray.open(scene.top)) return false;
  colour = end_colour(shadows, light, ray, nearest, hit);
  return true;
}

/// The middle of part `i` of `count` equal parts of [-1/2, 1/2].
constexpr float middle(int i, int count) {
  return (static_cast<float>(i) + 0.5F) / static_cast<float>(count) - 0.5F;
}

/// Azimuth of column `c` of `count`: radians clockwise from north.
constexpr float column_azimuth(int c, int count) {
  return middle(c, count) * 2.0F * std::numbers::pi_v<float>;
}
/// Elevation of row `r` of `count`, radians.
constexpr float row_elevation(int r, int count) {
  return -middle(r, count) * std::numbers::pi_v<float>;
}

/// The sky in a panorama's pixel. It is smooth, so once for a pixel is enough.
CROSSFIX_RAY_CODE Vec3 sky_pixel(const Light& light, int row, int column, int height, int width) {
  return sky_colour(light, direction_of(column_azimuth(column, width), row_elevation(row, height)));
}

/// The colour of a panorama's pixel: the mean of samples x samples rays, each followed separately.
CROSSFIX_RAY_CODE Vec3 panorama_pixel(const ShadowView& shadows, const Light& light, Vec3 eye,
                                      int row, int column, int height, int width, int samples) {
  Vec3 sum;
  int sky_rays = 0;
  for (int part = 0; part < samples; ++part) {
    const float azimuth = column_azimuth(column * samples + part, width * samples);
    const Vec2 direction{std::sin(azimuth), std::cos(azimuth)};
    for (int i = row * samples; i < (row + 1) * samples; ++i) {
      const float elevation = row_elevation(i, height * samples);
      Vec3 colour;
      if (look_around(shadows, light, {eye, direction, std::tan(elevation), std::cos(elevation)},
                      colour)) {
        sum = sum + colour;
      } else {
        ++sky_rays;
      }
    }
  }
  if (sky_rays > 0) {
    sum = sum + sky_pixel(light, row, column, height, width) * static_cast<float>(sky_rays);
  }
  return sum * (1.0F / static_cast<float>(samples * samples)) * light.gain;
}

}  // namespace crossfix::world
