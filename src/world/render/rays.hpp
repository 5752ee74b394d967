/// Rays against solids: the meeting point, the shadow, the cells under a ray.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "world/plan/ray_code.hpp"
#include "world/plan/scene.hpp"

namespace crossfix::world {

/// The nearest meeting point so far; t is in units of the ray's direction.
struct Hit {
  float t = std::numeric_limits<float>::infinity();
  Vec3 normal;  ///< unit, outward
};

namespace rays {

/// Clips [enter, exit] of a ray by the half-space n.p <= d, where `along` = n.direction and
/// `distance` = d - n.origin; `entered` says whether the plane became the entry.
CROSSFIX_RAY_CODE bool clip(float along, float distance, float& enter, float& exit, bool& entered) {
  entered = false;
  if (along == 0.0F) return distance >= 0.0F;
  const float t = distance / along;
  if (along < 0.0F) {
    if (t > enter) {
      enter = t;
      entered = true;
    }
  } else {
    exit = std::min(exit, t);
  }
  return enter <= exit;
}

/// Clips by |p| <= half along one axis; `sign` is the outward side of the face that was entered, 0
/// if none.
CROSSFIX_RAY_CODE bool clip_slab(float along, float from, float half, float& enter, float& exit,
                                 float& sign) {
  sign = 0.0F;
  if (along == 0.0F) return std::abs(from) <= half;
  const float inverse = 1.0F / along;
  const float middle = -from * inverse;
  const float reach = half * std::abs(inverse);
  if (middle - reach > enter) {
    enter = middle - reach;
    sign = along < 0.0F ? 1.0F : -1.0F;
  }
  exit = std::min(exit, middle + reach);
  return enter <= exit;
}

CROSSFIX_RAY_CODE bool hit_prism(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
  const Vec2 lo = solid.to_local({o.x, o.y});
  const Vec2 ld{d.x * solid.cosine + d.y * solid.sine, d.y * solid.cosine - d.x * solid.sine};
  float enter = 0.0F;
  float exit = hit.t;
  Vec3 n;
  float sign = 0.0F;
  if (!clip_slab(ld.x, lo.x, solid.half.x, enter, exit, sign)) return false;
  if (sign != 0.0F) n = {sign, 0.0F, 0.0F};
  if (!clip_slab(ld.y, lo.y, solid.half.y, enter, exit, sign)) return false;
  if (sign != 0.0F) n = {0.0F, sign, 0.0F};
  if (!clip_slab(d.z, o.z - 0.5F * (solid.z0 + solid.z1), 0.5F * (solid.z1 - solid.z0), enter, exit,
                 sign)) {
    return false;
  }
  if (sign != 0.0F) n = {0.0F, 0.0F, sign};
  if (solid.roof != Roof::kFlat) {
    bool entered = false;
    const auto slope = [&](Vec3 normal, float offset) {
      const float along = normal.x * ld.x + normal.y * ld.y + normal.z * d.z;
      const float distance = offset - (normal.x * lo.x + normal.y * lo.y + normal.z * o.z);
      if (!clip(along, distance, enter, exit, entered)) return false;
      if (entered) n = normal;
      return true;
    };
    const float k = solid.roof_slope;
    if (!slope({0, k, 1}, solid.z1) || !slope({0, -k, 1}, solid.z1)) return false;
    if (solid.roof == Roof::kHip) {
      const float end = solid.z1 + k * (solid.half.x - solid.half.y);
      if (!slope({k, 0, 1}, end) || !slope({-k, 0, 1}, end)) return false;
    }
  }
  if (enter <= 0.0F) return false;
  hit.t = enter;
  hit.normal = {n.x * solid.cosine - n.y * solid.sine, n.x * solid.sine + n.y * solid.cosine, n.z};
  if (n.z > 0.0F && (n.x != 0.0F || n.y != 0.0F)) hit.normal = normalised(hit.normal);
  return true;
}

CROSSFIX_RAY_CODE bool hit_ellipsoid(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
  const float r = 1.0F / solid.half.x;
  const float rz = 2.0F / (solid.z1 - solid.z0);
  const Vec3 scale{r, r, rz};
  const Vec3 p =
      Vec3{o.x - solid.centre.x, o.y - solid.centre.y, o.z - 0.5F * (solid.z0 + solid.z1)} * scale;
  const Vec3 v = d * scale;
  const float a = dot(v, v);
  const float b = dot(p, v);
  const float discriminant = b * b - a * (dot(p, p) - 1.0F);
  if (discriminant <= 0.0F) return false;
  const float t = (-b - std::sqrt(discriminant)) / a;
  if (!(t > 0.0F && t < hit.t)) return false;
  hit.t = t;
  hit.normal = normalised((p + v * t) * scale);
  return true;
}

CROSSFIX_RAY_CODE bool hit_cylinder(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
  const Vec2 p = Vec2{o.x, o.y} - solid.centre;
  const Vec2 v{d.x, d.y};
  const float a = dot(v, v);
  const float outside = dot(p, p) - solid.half.x * solid.half.x;
  if (a == 0.0F) {  // along the axis
    const float t = ((d.z < 0.0F ? solid.z1 : solid.z0) - o.z) / d.z;
    if (outside >= 0.0F || !(t > 0.0F && t < hit.t)) return false;
    hit.t = t;
    hit.normal = {0.0F, 0.0F, d.z < 0.0F ? 1.0F : -1.0F};
    return true;
  }
  const float b = dot(p, v);
  const float discriminant = b * b - a * outside;
  if (discriminant <= 0.0F) return false;
  const float root = std::sqrt(discriminant);
  float t = (-b - root) / a;
  const float z = o.z + t * d.z;
  Vec3 normal{(p.x + v.x * t) / solid.half.x, (p.y + v.y * t) / solid.half.x, 0.0F};
  if (z > solid.z1 || z < solid.z0) {  // through an end, or not at all
    const bool from_above = z > solid.z1;
    if (d.z == 0.0F || (d.z < 0.0F) != from_above) return false;
    t = ((from_above ? solid.z1 : solid.z0) - o.z) / d.z;
    if (t > (-b + root) / a) return false;
    normal = {0.0F, 0.0F, from_above ? 1.0F : -1.0F};
  }
  if (!(t > 0.0F && t < hit.t)) return false;
  hit.t = t;
  hit.normal = normal;
  return true;
}

}  // namespace rays

/// Whether the ray o + t d enters the solid at 0 < t < hit.t; if so, `hit` becomes that point. A
/// ray that starts inside does not meet it.
CROSSFIX_RAY_CODE bool intersect(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
  switch (solid.shape) {
    case Shape::kPrism:
      return rays::hit_prism(solid, o, d, hit);
    case Shape::kEllipsoid:
      return rays::hit_ellipsoid(solid, o, d, hit);
    case Shape::kCylinder:
      return rays::hit_cylinder(solid, o, d, hit);
  }
  return false;
}

/// Whether the vertical plane through o along the unit vector d crosses the solid at t within
/// [t_in, t_out], 0 <= t_in, up to t = `far`.
CROSSFIX_RAY_CODE bool cross_plane(const Solid& solid, Vec2 o, Vec2 d, float far, float& t_in,
                                   float& t_out) {
  if (solid.shape == Shape::kPrism) {
    const Vec2 lo = solid.to_local(o);
    const Vec2 ld{d.x * solid.cosine + d.y * solid.sine, d.y * solid.cosine - d.x * solid.sine};
    t_in = 0.0F;
    t_out = far;
    bool entered = false;
    return rays::clip(ld.x, solid.half.x - lo.x, t_in, t_out, entered) &&
           rays::clip(-ld.x, solid.half.x + lo.x, t_in, t_out, entered) &&
           rays::clip(ld.y, solid.half.y - lo.y, t_in, t_out, entered) &&
           rays::clip(-ld.y, solid.half.y + lo.y, t_in, t_out, entered);
  }
  const Vec2 p = o - solid.centre;
  const float b = dot(p, d);
  const float discriminant = b * b - dot(p, p) + solid.half.x * solid.half.x;
  if (discriminant <= 0.0F) return false;
  const float root = std::sqrt(discriminant);
  t_in = std::max(0.0F, -b - root);
  t_out = -b + root;
  return t_out > 0.0F;
}

/// Visits the cells under a ray in order. visit(ix, iy, t_in, t_out) returns whether to continue.
/// (Amanatides and Woo 1987.)
template <typename Visit>
CROSSFIX_RAY_CODE void walk_cells(const CellView& cells, Vec2 o, Vec2 d, float t_end,
                                  Visit&& visit) {
  int ix = cells.coordinate_x(o.x);
  int iy = cells.coordinate_y(o.y);
  const int step_x = d.x > 0.0F ? 1 : -1;
  const int step_y = d.y > 0.0F ? 1 : -1;
  const auto border = [&](int i, float origin, float from, float way) {
    if (way == 0.0F) return std::numeric_limits<float>::infinity();
    const float edge = origin + cells.cell * static_cast<float>(way > 0.0F ? i + 1 : i);
    return (edge - from) / way;
  };
  float next_x = border(ix, cells.origin.x, o.x, d.x);
  float next_y = border(iy, cells.origin.y, o.y, d.y);
  const float delta_x =
      d.x == 0.0F ? std::numeric_limits<float>::infinity() : cells.cell / std::abs(d.x);
  const float delta_y =
      d.y == 0.0F ? std::numeric_limits<float>::infinity() : cells.cell / std::abs(d.y);
  float t = 0.0F;
  while (t < t_end && cells.inside(ix, iy)) {
    const float t_out = std::min(next_x, next_y);
    if (!visit(ix, iy, t, t_out)) return;
    t = t_out;
    if (next_x < next_y) {
      next_x += delta_x;
      ix += step_x;
    } else {
      next_y += delta_y;
      iy += step_y;
    }
  }
}

/// The shadows of one sun, as rays read them.
struct ShadowView {
  SceneView scene;
  Vec3 to_sun;       ///< unit, points up
  float run = 0.0F;  ///< length of the horizontal part of to_sun
  std::uint32_t date = 0;
  /// For each cell, the solids whose shadows reach it. If there are no cells, `cover` walks towards
  /// the sun.
  CellView casters;

  [[nodiscard]] CROSSFIX_RAY_CODE bool blocks(const Solid& solid, Vec3 point) const {
    const float aside = cross(Vec2{to_sun.x, to_sun.y}, solid.centre - Vec2{point.x, point.y});
    Hit hit;
    return std::abs(aside) <= solid.radius * run && solid.is_there(date) &&
           intersect(solid, point, to_sun, hit);
  }

  /// Whether a solid lies between `point` and the sun.
  [[nodiscard]] CROSSFIX_RAY_CODE bool cover(Vec3 point) const {
    if (casters.side > 0) {
      for (const std::uint32_t i : casters.at(Vec2{point.x, point.y})) {
        if (scene.solids[i].z1 > point.z && blocks(scene.solids[i], point)) return true;
      }
      return false;
    }
    bool blocked = false;
    const float t_end = (scene.top - point.z) / to_sun.z;
    const CellView& cells = scene.solid_cells;
    walk_cells(cells, {point.x, point.y}, {to_sun.x, to_sun.y}, t_end,
               [&](int ix, int iy, float t_in, float) {
                 const float height = point.z + t_in * to_sun.z;
                 if (scene.cell_top[cells.number(ix, iy)] <= height) return true;
                 for (const std::uint32_t i : cells.at(ix, iy)) {
                   blocked = scene.solids[i].z1 > height && blocks(scene.solids[i], point);
                   if (blocked) return false;
                 }
                 return true;
               });
    return blocked;
  }
};

/// The shadows of a sun towards `to_sun` (unit, points up), found by walks.
CROSSFIX_RAY_CODE ShadowView walked_shadows(const SceneView& scene, Vec3 to_sun,
                                            std::uint32_t date) {
  return {scene, to_sun, length(Vec2{to_sun.x, to_sun.y}), date, {}};
}

/// Lists in advance, for each cell, the solids whose shadows reach it. Keeps a view of the scene.
class Shadows {
 public:
  /// `to_sun` is unit and points up. Only the cars and people of `date` cast shadows.
  Shadows(const Scene& scene, Vec3 to_sun, std::uint32_t date = 0);

  /// Valid while this object lives.
  [[nodiscard]] ShadowView view() const {
    ShadowView all = sun_;
    all.casters = casters_.view();
    return all;
  }
  [[nodiscard]] const CellIndex& casters() const { return casters_; }
  /// As in a view.
  [[nodiscard]] bool cover(Vec3 point) const { return view().cover(point); }

 private:
  ShadowView sun_;  // without its casters
  CellIndex casters_;
};

}  // namespace crossfix::world
