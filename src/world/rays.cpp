#include "rays.hpp"

#include <algorithm>

namespace crossfix::world {

namespace {

/// Clips [enter, exit] of a ray by the half-space n.p <= d, where `along` = n.direction and
/// `distance` = d - n.origin; `entered` tells whether the plane became the entry.
bool clip(float along, float distance, float& enter, float& exit, bool& entered) {
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

/// Clips by |p| <= half along one axis; `sign` is the outward side of the face entered, 0 if none.
bool clip_slab(float along, float from, float half, float& enter, float& exit, float& sign) {
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

bool hit_prism(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
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

bool hit_ellipsoid(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
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

bool hit_cylinder(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
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
  if (z > solid.z1 || z < solid.z0) {  // through an end, if at all
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

}  // namespace

bool intersect(const Solid& solid, Vec3 o, Vec3 d, Hit& hit) {
  switch (solid.shape) {
    case Shape::kPrism:
      return hit_prism(solid, o, d, hit);
    case Shape::kEllipsoid:
      return hit_ellipsoid(solid, o, d, hit);
    case Shape::kCylinder:
      return hit_cylinder(solid, o, d, hit);
  }
  return false;
}

bool cross_plane(const Solid& solid, Vec2 o, Vec2 d, float far, float& t_in, float& t_out) {
  if (solid.shape == Shape::kPrism) {
    const Vec2 lo = solid.to_local(o);
    const Vec2 ld{d.x * solid.cosine + d.y * solid.sine, d.y * solid.cosine - d.x * solid.sine};
    t_in = 0.0F;
    t_out = far;
    bool entered = false;
    return clip(ld.x, solid.half.x - lo.x, t_in, t_out, entered) &&
           clip(-ld.x, solid.half.x + lo.x, t_in, t_out, entered) &&
           clip(ld.y, solid.half.y - lo.y, t_in, t_out, entered) &&
           clip(-ld.y, solid.half.y + lo.y, t_in, t_out, entered);
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

Shadows::Shadows(const Scene& scene, Vec3 to_sun, Search search, std::uint32_t date)
    : scene_(scene),
      to_sun_(to_sun),
      run_(length(Vec2{to_sun.x, to_sun.y})),
      search_(search),
      date_(date) {
  if (search == Search::kWalk) return;
  const CellIndex& cells = scene.solid_cells;
  casters_ = CellIndex(cells.origin(), cells.cell(), cells.side());
  const auto tip = [&](const Solid& solid) {  // where the shadow of its axis ends on the ground
    return solid.centre - Vec2{to_sun.x, to_sun.y} * (solid.z1 / to_sun.z);
  };
  std::vector<CellIndex::Box> boxes;
  boxes.reserve(scene.solids.size());
  for (const Solid& solid : scene.solids) {
    const Vec2 a = solid.centre;
    const Vec2 b = tip(solid);
    const Vec2 reach{solid.radius, solid.radius};
    boxes.push_back({Vec2{std::min(a.x, b.x), std::min(a.y, b.y)} - reach,
                     Vec2{std::max(a.x, b.x), std::max(a.y, b.y)} + reach});
  }
  casters_.build(boxes, [&](std::size_t i, Vec2 centre) {
    const Solid& solid = scene.solids[i];
    const Vec2 along = tip(solid) - solid.centre;
    const Vec2 r = centre - solid.centre;
    const float square = dot(along, along);
    const float s = square > 0.0F ? std::clamp(dot(r, along) / square, 0.0F, 1.0F) : 0.0F;
    return length(r - along * s) <= solid.radius + casters_.radius();
  });
}

bool Shadows::blocks(const Solid& solid, Vec3 point) const {
  const float aside = cross(Vec2{to_sun_.x, to_sun_.y}, solid.centre - Vec2{point.x, point.y});
  Hit hit;
  return std::abs(aside) <= solid.radius * run_ && solid.is_there(date_) &&
         intersect(solid, point, to_sun_, hit);
}

bool Shadows::cover(Vec3 point) const {
  if (search_ == Search::kIndex) {
    const auto casters = casters_.at(Vec2{point.x, point.y});
    return std::any_of(casters.begin(), casters.end(), [&](std::uint32_t i) {
      return scene_.solids[i].z1 > point.z && blocks(scene_.solids[i], point);
    });
  }
  bool blocked = false;
  const float t_end = (scene_.top - point.z) / to_sun_.z;
  const CellIndex& cells = scene_.solid_cells;
  walk_cells(cells, {point.x, point.y}, {to_sun_.x, to_sun_.y}, t_end,
             [&](int ix, int iy, float t_in, float) {
               const float height = point.z + t_in * to_sun_.z;
               if (scene_.cell_top[cells.number(ix, iy)] <= height) return true;
               const auto solids = cells.at(ix, iy);
               blocked = std::any_of(solids.begin(), solids.end(), [&](std::uint32_t i) {
                 return scene_.solids[i].z1 > height && blocks(scene_.solids[i], point);
               });
               return !blocked;
             });
  return blocked;
}

}  // namespace crossfix::world
