#include "scene.hpp"

namespace crossfix::world {

namespace {

constexpr float kSolidCell = 5.0F;
constexpr float kGroundCell = 8.0F;
constexpr float kSlack = 0.01F;  // metres; covers rounding

CellIndex::Box box_of(const Solid& solid) {
  float rx = solid.half.x;
  float ry = solid.half.x;
  if (solid.shape == Shape::kPrism) {
    rx = std::abs(solid.cosine) * solid.half.x + std::abs(solid.sine) * solid.half.y;
    ry = std::abs(solid.sine) * solid.half.x + std::abs(solid.cosine) * solid.half.y;
  }
  return {solid.centre - Vec2{rx, ry}, solid.centre + Vec2{rx, ry}};
}

}  // namespace

void CellIndex::build(std::span<const Box> boxes,
                      const std::function<bool(std::size_t item, Vec2 centre)>& touches) {
  const CellView& lattice = lattice_;
  const auto side = static_cast<std::size_t>(lattice.side);
  first_.assign(side * side + 1, 0);
  const auto for_cells = [&](std::size_t item, auto&& visit) {
    const Box& box = boxes[item];
    const int x0 = std::max(lattice.coordinate_x(box.low.x), 0);
    const int y0 = std::max(lattice.coordinate_y(box.low.y), 0);
    const int x1 = std::min(lattice.coordinate_x(box.high.x), lattice.side - 1);
    const int y1 = std::min(lattice.coordinate_y(box.high.y), lattice.side - 1);
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) {
        const Vec2 centre = lattice.origin + Vec2{(static_cast<float>(x) + 0.5F) * lattice.cell,
                                                  (static_cast<float>(y) + 0.5F) * lattice.cell};
        if (touches(item, centre)) visit(lattice.number(x, y));
      }
    }
  };
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for_cells(i, [&](std::size_t cell) { ++first_[cell + 1]; });
  }
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  items_.resize(first_.back());
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for_cells(i, [&](std::size_t cell) { items_[next[cell]++] = static_cast<std::uint32_t>(i); });
  }
}

void Scene::index_ground(float half_side) {
  const int side = floor_int(2.0F * half_side / kGroundCell) + 1;
  const Vec2 origin{-half_side, -half_side};
  std::vector<CellIndex::Box> boxes;
  for (const Street& street : streets) {
    const Vec2 end = street.start + street.direction * street.length;
    const float reach = street.half_width + street.pavement;
    boxes.push_back(
        {{std::min(street.start.x, end.x) - reach, std::min(street.start.y, end.y) - reach},
         {std::max(street.start.x, end.x) + reach, std::max(street.start.y, end.y) + reach}});
  }
  street_cells = CellIndex(origin, kGroundCell, side);
  street_cells.build(boxes, [&](std::size_t i, Vec2 centre) {
    const Street& street = streets[i];
    return street.distance(centre) <
           street.half_width + street.pavement + street_cells.radius() + kSlack;
  });
  boxes.clear();
  for (const Block& block : blocks) {
    CellIndex::Box box{block.corner[0], block.corner[0]};
    for (const Vec2& c : block.corner) {
      box.low = {std::min(box.low.x, c.x), std::min(box.low.y, c.y)};
      box.high = {std::max(box.high.x, c.x), std::max(box.high.y, c.y)};
    }
    boxes.push_back(box);
  }
  block_cells = CellIndex(origin, kGroundCell, side);
  block_cells.build(boxes, [](std::size_t, Vec2) { return true; });
}

void Scene::index_solids(float half_side) {
  const int side = floor_int(2.0F * half_side / kSolidCell) + 1;
  std::vector<CellIndex::Box> boxes;
  boxes.reserve(solids.size());
  for (Solid& solid : solids) {
    boxes.push_back(box_of(solid));
    solid.radius = (solid.shape == Shape::kPrism ? length(solid.half) : solid.half.x) + kSlack;
  }
  solid_cells = CellIndex({-half_side, -half_side}, kSolidCell, side);
  solid_cells.build(boxes, [&](std::size_t i, Vec2 centre) {
    const Solid& solid = solids[i];
    const Vec2 local = solid.to_local(centre);
    const float reach = solid_cells.radius() + kSlack;
    const float half_y = solid.shape == Shape::kPrism ? solid.half.y : solid.half.x;
    return std::abs(local.x) < solid.half.x + reach && std::abs(local.y) < half_y + reach;
  });
  cell_top.assign(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 0.0F);
  top = 0.0F;
  std::size_t cell = 0;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x, ++cell) {
      for (const std::uint32_t i : solid_cells.at(x, y)) {
        cell_top[cell] = std::max(cell_top[cell], solids[i].z1);
      }
      top = std::max(top, cell_top[cell]);
    }
  }
}

}  // namespace crossfix::world
