/// The description of a city that both views are rendered from: solids on flat ground, streets, and
/// land between them. Metres; x east, y north, z up, the ground at z = 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "random.hpp"
#include "vec.hpp"

namespace crossfix::world {

/// How the colour of a surface is computed at the point that a ray meets (materials.hpp).
enum class Surface : std::uint8_t { kFacade, kFoliage, kHedge, kCar, kPlain };

/// Colours are linear RGB.
struct Material {
  Surface surface = Surface::kPlain;
  Vec3 base;    ///< wall, leaf, paint
  Vec3 trim;    ///< parapet, window frames
  Vec3 roof;    ///< roof
  Vec3 accent;  ///< awning, door
  float floor_height = 3.2F;
  float window_pitch = 3.0F;
  float window_width = 0.5F;   ///< share of the pitch
  float window_height = 0.5F;  ///< share of the floor
  bool shop_front = false;
  std::uint32_t seed = 0;
};

enum class Shape : std::uint8_t { kPrism, kEllipsoid, kCylinder };
enum class Roof : std::uint8_t { kFlat, kGable, kHip };

/// A solid. Prism: a box turned by (cosine, sine) about the vertical, with its top cut to a roof
/// whose ridge runs along local x (half.x >= half.y for a hip). Ellipsoid: half-axes (half.x,
/// half.x, (z1 - z0) / 2). Cylinder: vertical, radius half.x.
struct Solid {
  Shape shape = Shape::kPrism;
  Roof roof = Roof::kFlat;
  std::uint32_t material = 0;
  Vec2 centre;
  Vec2 half;
  float cosine = 1.0F;
  float sine = 0.0F;
  float z0 = 0.0F;
  float z1 = 1.0F;          ///< ridge height of a pitched roof
  float roof_slope = 0.0F;  ///< rise over run of a pitched roof
  float radius = 0.0F;      ///< of a circle about the centre that holds the outline (index_solids)
  std::uint32_t visitor = 0;  ///< number of the car or person that this is a part of
  float presence = 1.0F;      ///< share of all dates on which it is there

  /// Whether it is there on a date; the same for all parts of a visitor.
  [[nodiscard]] constexpr bool is_there(std::uint32_t date) const {
    return presence >= 1.0F || lattice_uniform(static_cast<int>(visitor), 0, date) < presence;
  }

  [[nodiscard]] constexpr Vec2 to_local(Vec2 p) const {
    const Vec2 d = p - centre;
    return {d.x * cosine + d.y * sine, d.y * cosine - d.x * sine};
  }
  [[nodiscard]] constexpr Vec2 to_world(Vec2 p) const {
    return centre + Vec2{p.x * cosine - p.y * sine, p.x * sine + p.y * cosine};
  }
};

/// How a city paints its carriageways.
struct Markings {
  enum class Crossing : std::uint8_t { kZebra, kTwoLines, kLadder };
  Crossing crossing = Crossing::kZebra;
  bool left_hand = false;  ///< traffic keeps left
  bool yellow_centre = false;
  bool parking_bays = true;
  float dash_period = 6.0F;  ///< metres
  float dash_share = 0.55F;  ///< of the period
};

/// A straight piece of street, between two junctions or between two bends.
struct Street {
  Vec2 start;
  Vec2 direction;  ///< unit
  float length = 0.0F;
  float half_width = 5.0F;   ///< carriageway
  float pavement = 2.5F;     ///< width of the pavement on either side
  float clear_start = 0.0F;  ///< length that the junction at the start takes; 0: none
  float clear_end = 0.0F;
  bool zebra_start = false;
  bool zebra_end = false;
  int lanes = 2;
  bool parking = true;
  std::uint32_t seed = 0;

  /// Distance of p from the centre line (metres).
  [[nodiscard]] float distance(Vec2 p) const {
    const Vec2 r = p - start;
    const float s = std::clamp(dot(r, direction), 0.0F, length);
    const Vec2 off = r - direction * s;
    return std::sqrt(dot(off, off));
  }
};

enum class Land : std::uint8_t { kGardens, kPaved, kPark, kCarPark };

/// The land of a quadrangle between four junctions (counter-clockwise).
struct Block {
  std::array<Vec2, 4> corner;
  Land land = Land::kGardens;
  Vec3 grass;
  Vec3 paving;
  std::uint32_t seed = 0;

  [[nodiscard]] constexpr bool contains(Vec2 p) const {
    for (std::size_t e = 0; e < 4; ++e) {
      if (cross(corner[(e + 1) % 4] - corner[e], p - corner[e]) < 0.0F) return false;
    }
    return true;
  }
};

/// A square lattice of cells over the ground, and for each cell the numbers of the things that
/// reach into it. This is the part of a CellIndex that rays read.
struct CellView {
  Vec2 origin;
  float cell = 1.0F;                     ///< metres
  float per_cell = 1.0F;                 ///< 1 / cell
  int side = 0;                          ///< cells along each axis
  const std::uint32_t* first = nullptr;  ///< of each cell, its first among `items`; and one more
  const std::uint32_t* items = nullptr;

  [[nodiscard]] constexpr int coordinate_x(float x) const {
    return floor_int((x - origin.x) * per_cell);
  }
  [[nodiscard]] constexpr int coordinate_y(float y) const {
    return floor_int((y - origin.y) * per_cell);
  }
  [[nodiscard]] constexpr bool inside(int ix, int iy) const {
    return ix >= 0 && iy >= 0 && ix < side && iy < side;
  }
  [[nodiscard]] constexpr std::size_t number(int ix, int iy) const {
    return static_cast<std::size_t>(iy) * static_cast<std::size_t>(side) +
           static_cast<std::size_t>(ix);
  }
  /// The items of a cell; empty outside the lattice.
  [[nodiscard]] constexpr std::span<const std::uint32_t> at(int ix, int iy) const {
    if (!inside(ix, iy)) return {};
    const std::size_t number_of = number(ix, iy);
    return {items + first[number_of], items + first[number_of + 1]};
  }
  [[nodiscard]] constexpr std::span<const std::uint32_t> at(Vec2 p) const {
    return at(coordinate_x(p.x), coordinate_y(p.y));
  }
};

/// Rows of indices over a square lattice of cells.
class CellIndex {
 public:
  CellIndex() = default;
  /// A lattice of side x side cells of `cell` metres from `origin`.
  CellIndex(Vec2 origin, float cell, int side) : lattice_{origin, cell, 1.0F / cell, side} {}

  struct Box {
    Vec2 low;
    Vec2 high;
  };
  /// Indexes boxes by number. `touches(item, centre)` may say that an item does not reach a cell of
  /// its box.
  void build(std::span<const Box> boxes,
             const std::function<bool(std::size_t item, Vec2 centre)>& touches);
  /// Distance from a cell's centre to its corners.
  [[nodiscard]] float radius() const { return lattice_.cell * 0.70711F; }

  /// Valid while this object lives and is not built again.
  [[nodiscard]] CellView view() const {
    CellView all = lattice_;
    all.first = first_.data();
    all.items = items_.data();
    return all;
  }
  [[nodiscard]] std::span<const std::uint32_t> at(int ix, int iy) const {
    return view().at(ix, iy);
  }
  [[nodiscard]] std::span<const std::uint32_t> at(Vec2 p) const { return view().at(p); }
  /// The lists behind `view`.
  [[nodiscard]] std::span<const std::uint32_t> first() const { return first_; }
  [[nodiscard]] std::span<const std::uint32_t> items() const { return items_; }

 private:
  CellView lattice_;  // without its lists
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> items_;
};

/// What a city has only one of.
struct SceneTraits {
  Vec3 asphalt;
  Vec3 pavement;
  Vec3 country;  ///< land outside all blocks
  Markings markings;
  std::uint32_t seed = 0;
  float top = 0.0F;  ///< highest solid
};

/// The part of a Scene that rays read. The members are the same.
struct SceneView : SceneTraits {
  const Solid* solids = nullptr;
  const Material* materials = nullptr;
  const Street* streets = nullptr;
  const Block* blocks = nullptr;
  CellView solid_cells;
  CellView street_cells;
  CellView block_cells;
  const float* cell_top = nullptr;
};

/// A finished city.
struct Scene : SceneTraits {
  std::vector<Solid> solids;
  std::vector<Material> materials;
  std::vector<Street> streets;
  std::vector<Block> blocks;

  CellIndex solid_cells;
  CellIndex street_cells;
  CellIndex block_cells;
  std::vector<float> cell_top;  ///< highest solid of each cell of solid_cells

  /// Builds street_cells and block_cells over [-half_side, half_side]^2.
  void index_ground(float half_side);
  /// Builds solid_cells, cell_top, top, and the radii of the solids.
  void index_solids(float half_side);

  /// Valid while this object lives and is not changed.
  [[nodiscard]] SceneView view() const {
    return {*this,          solids.data(),      materials.data(),    streets.data(),
            blocks.data(),  solid_cells.view(), street_cells.view(), block_cells.view(),
            cell_top.data()};
  }
};

}  // namespace crossfix::world
