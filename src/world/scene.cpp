#include "scene.hpp"

#include "random.hpp"

namespace crossfix::world {

namespace {

constexpr float kSolidCell = 5.0F;
constexpr float kGroundCell = 8.0F;

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

int CellIndex::coordinate_x(float x) const { return floor_int((x - origin_.x) / cell_); }
int CellIndex::coordinate_y(float y) const { return floor_int((y - origin_.y) / cell_); }

std::span<const std::uint32_t> CellIndex::at(int ix, int iy) const {
  if (!inside(ix, iy)) return {};
  const auto cell = static_cast<std::size_t>(iy) * static_cast<std::size_t>(side_) +
                    static_cast<std::size_t>(ix);
  return {items_.data() + first_[cell], items_.data() + first_[cell + 1]};
}

std::span<const std::uint32_t> CellIndex::at(Vec2 p) const {
  return at(coordinate_x(p.x), coordinate_y(p.y));
}

void CellIndex::build(std::span<const Box> boxes) {
  const auto side = static_cast<std::size_t>(side_);
  first_.assign(side * side + 1, 0);
  const auto for_cells = [&](const Box& box, auto&& visit) {
    const int x0 = std::max(coordinate_x(box.low.x), 0);
    const int y0 = std::max(coordinate_y(box.low.y), 0);
    const int x1 = std::min(coordinate_x(box.high.x), side_ - 1);
    const int y1 = std::min(coordinate_y(box.high.y), side_ - 1);
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) {
        visit(static_cast<std::size_t>(y) * side + static_cast<std::size_t>(x));
      }
    }
  };
  for (const Box& box : boxes) {
    for_cells(box, [&](std::size_t cell) { ++first_[cell + 1]; });
  }
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  items_.resize(first_.back());
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for_cells(boxes[i],
              [&](std::size_t cell) { items_[next[cell]++] = static_cast<std::uint32_t>(i); });
  }
}

void Scene::index_ground(float half_side) {
  const int side = floor_int(2.0F * half_side / kGroundCell) + 1;
  const Vec2 origin{-half_side, -half_side};
  std::vector<CellIndex::Box> boxes;
  for (const Street& street : streets) {
    const Vec2 end = street.start + street.direction * street.length;
    const float reach = street.half_width + street.pavement;
    boxes.push_back({{std::min(street.start.x, end.x) - reach,
                      std::min(street.start.y, end.y) - reach},
                     {std::max(street.start.x, end.x) + reach,
                      std::max(street.start.y, end.y) + reach}});
  }
  street_cells = CellIndex(origin, kGroundCell, side);
  street_cells.build(boxes);
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
  block_cells.build(boxes);
}

void Scene::index_solids(float half_side) {
  const int side = floor_int(2.0F * half_side / kSolidCell) + 1;
  std::vector<CellIndex::Box> boxes;
  boxes.reserve(solids.size());
  for (const Solid& solid : solids) boxes.push_back(box_of(solid));
  solid_cells = CellIndex({-half_side, -half_side}, kSolidCell, side);
  solid_cells.build(boxes);
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
