/// Rays against solids: the meeting point, the shadow, the cells under a ray.
#pragma once

#include <cmath>
#include <limits>

#include "scene.hpp"

namespace crossfix::world {

/// The nearest meeting point so far; t in units of the ray's direction.
struct Hit {
  float t = std::numeric_limits<float>::infinity();
  Vec3 normal;  ///< unit, outward
};

/// Whether the ray o + t d enters the solid at 0 < t < hit.t; then `hit` is that point. A ray that
/// starts inside does not meet it.
bool intersect(const Solid& solid, Vec3 o, Vec3 d, Hit& hit);

/// Whether the vertical plane through o along the unit vector d crosses the solid at t within
/// [t_in, t_out], 0 <= t_in, up to t = `far`.
bool cross_plane(const Solid& solid, Vec2 o, Vec2 d, float far, float& t_in, float& t_out);

/// The shadows of one sun.
class Shadows {
 public:
  enum class Search : std::uint8_t {
    kWalk,   ///< no preparation: walks from each point towards the sun
    kIndex,  ///< lists beforehand, for each cell, the solids whose shadows reach it
  };
  /// `to_sun` is unit and points up; of cars and people those of `date` cast shadows.
  Shadows(const Scene& scene, Vec3 to_sun, Search search, std::uint32_t date = 0);

  /// Whether a solid lies between `point` and the sun.
  [[nodiscard]] bool cover(Vec3 point) const;

 private:
  [[nodiscard]] bool blocks(const Solid& solid, Vec3 point) const;

  const Scene& scene_;
  Vec3 to_sun_;
  float run_;  ///< length of to_sun's horizontal part
  Search search_;
  std::uint32_t date_;
  CellIndex casters_;
};

/// Visits the cells under a ray in order: visit(ix, iy, t_in, t_out) returns whether to go on.
/// (Amanatides and Woo 1987.)
template <typename Visit>
void walk_cells(const CellIndex& cells, Vec2 o, Vec2 d, float t_end, Visit&& visit) {
  int ix = cells.coordinate_x(o.x);
  int iy = cells.coordinate_y(o.y);
  const int step_x = d.x > 0.0F ? 1 : -1;
  const int step_y = d.y > 0.0F ? 1 : -1;
  const auto border = [&](int i, float origin, float from, float way) {
    if (way == 0.0F) return std::numeric_limits<float>::infinity();
    const float edge = origin + cells.cell() * static_cast<float>(way > 0.0F ? i + 1 : i);
    return (edge - from) / way;
  };
  float next_x = border(ix, cells.origin().x, o.x, d.x);
  float next_y = border(iy, cells.origin().y, o.y, d.y);
  const float delta_x =
      d.x == 0.0F ? std::numeric_limits<float>::infinity() : cells.cell() / std::abs(d.x);
  const float delta_y =
      d.y == 0.0F ? std::numeric_limits<float>::infinity() : cells.cell() / std::abs(d.y);
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

}  // namespace crossfix::world
