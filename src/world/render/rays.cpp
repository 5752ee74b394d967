#include "rays.hpp"

#include <algorithm>
#include <vector>

namespace crossfix::world {

Shadows::Shadows(const Scene& scene, Vec3 to_sun, std::uint32_t date)
    : sun_(walked_shadows(scene.view(), to_sun, date)) {
  const CellView cells = scene.solid_cells.view();
  casters_ = CellIndex(cells.origin, cells.cell, cells.side);
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

}  // namespace crossfix::world
