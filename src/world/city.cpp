#include "city.hpp"

#include <array>
#include <numbers>

#include "random.hpp"

namespace crossfix::world {

namespace {

constexpr std::array<CityStyle, kOrdinaryStyles + kReservedStyles> kStyles{{
    {"suburb", 70, 105, 10, 16, 4, 9, 8, 7, 0.6F, 0.15F, 0.12F},
    {"town", 60, 95, 8, 8, 6, 14, 5, 4, 0.5F, 0.45F, 0.10F},
    {"centre", 65, 110, 4, 3, 9, 26, 4, 2, 0.35F, 0.85F, 0.06F},
    {"old town", 48, 80, 11, 12, 6, 15, 3, 2, 0.3F, 0.3F, 0.15F},
    {"garden city", 75, 115, 12, 22, 5, 12, 9, 8, 0.8F, 0.3F, 0.14F},
    {"boulevards", 80, 120, 6, 5, 8, 20, 5, 4, 0.6F, 0.7F, 0.05F},
}};

/// Linear RGB of a hue in turns, saturation and value of the display colour.
Vec3 hsv(float hue, float saturation, float value) {
  const auto channel = [&](float shift) {
    float k = hue * 6.0F + shift;
    k -= 6.0F * std::floor(k / 6.0F);
    const float level = value - value * saturation * std::max(0.0F, std::min({k, 4.0F - k, 1.0F}));
    return level * level;  // display gamma 2, undone by the renderer
  };
  return {channel(5.0F), channel(3.0F), channel(1.0F)};
}

struct BuildingPalette {
  float hue, saturation, value;                 // wall
  float roof_hue, roof_saturation, roof_value;  // roof
  float trim_value;
};

// Wall and roof go together, so that the one can be told from the other.
constexpr std::array<BuildingPalette, 14> kPalettes{{
    {0.02F, 0.60F, 0.62F, 0.03F, 0.50F, 0.42F, 0.85F},  // red brick, dark red roof
    {0.05F, 0.50F, 0.50F, 0.06F, 0.55F, 0.36F, 0.75F},  // brown brick, brown roof
    {0.13F, 0.40F, 0.85F, 0.11F, 0.45F, 0.66F, 0.95F},  // sandstone, ochre roof
    {0.15F, 0.70F, 0.90F, 0.13F, 0.65F, 0.70F, 0.95F},  // yellow plaster
    {0.10F, 0.06F, 0.92F, 0.04F, 0.70F, 0.72F, 0.60F},  // white plaster, terracotta roof
    {0.60F, 0.45F, 0.72F, 0.61F, 0.45F, 0.45F, 0.92F},  // blue, slate blue roof
    {0.56F, 0.30F, 0.85F, 0.55F, 0.40F, 0.62F, 0.95F},  // light blue
    {0.38F, 0.35F, 0.62F, 0.42F, 0.45F, 0.45F, 0.90F},  // green, copper roof
    {0.27F, 0.35F, 0.78F, 0.30F, 0.40F, 0.55F, 0.92F},  // lime
    {0.97F, 0.35F, 0.88F, 0.95F, 0.40F, 0.60F, 0.95F},  // pink, rose roof
    {0.08F, 0.70F, 0.85F, 0.05F, 0.75F, 0.60F, 0.95F},  // orange
    {0.60F, 0.05F, 0.62F, 0.60F, 0.06F, 0.60F, 0.40F},  // concrete
    {0.60F, 0.10F, 0.40F, 0.60F, 0.12F, 0.30F, 0.75F},  // dark slate
    {0.78F, 0.28F, 0.70F, 0.78F, 0.30F, 0.48F, 0.92F},  // violet
}};

constexpr std::array<std::array<float, 3>, 9> kCarColours{{{0.0F, 0.0F, 0.92F},
                                                           {0.6F, 0.05F, 0.65F},
                                                           {0.6F, 0.1F, 0.16F},
                                                           {0.0F, 0.85F, 0.75F},
                                                           {0.6F, 0.8F, 0.70F},
                                                           {0.57F, 0.6F, 0.90F},
                                                           {0.13F, 0.85F, 0.92F},
                                                           {0.37F, 0.6F, 0.45F},
                                                           {0.07F, 0.75F, 0.80F}}};

class Builder {
 public:
  Builder(std::uint64_t key, const CityStyle& style, float half_side)
      : random_(key), style_(style), half_side_(half_side) {
    scene_.seed = static_cast<std::uint32_t>(mix64(key) >> 32);
  }

  Scene build() {
    Random colours = random_.child(1);
    scene_.asphalt = hsv(0.6F, colours.uniform(0.0F, 0.08F), colours.uniform(0.36F, 0.46F));
    scene_.pavement = hsv(colours.uniform(0.05F, 0.13F), colours.uniform(0.03F, 0.16F),
                          colours.uniform(0.66F, 0.78F));
    scene_.country = hsv(colours.uniform(0.2F, 0.28F), 0.4F, 0.5F);
    place_junctions();
    place_streets();
    place_blocks();
    const float indexed = half_side_ + 60.0F;
    scene_.index_ground(indexed);
    for (std::size_t i = 0; i < scene_.streets.size(); ++i) {
      furnish_street(scene_.streets[i], random_.child(1000 + i));
    }
    building_cells_.resize(kHashCells);
    for (std::size_t i = 0; i < scene_.blocks.size(); ++i) {
      fill_block(scene_.blocks[i], random_.child(1'000'000 + i));
    }
    scene_.index_solids(indexed);
    return std::move(scene_);
  }

 private:
  static constexpr std::size_t kHashCells = 1U << 14U;
  static constexpr float kHashCell = 32.0F;
  static constexpr float kClearance = 8.0F;  // at most the side of a cell of streets

  [[nodiscard]] std::size_t node(int i, int j) const {
    return static_cast<std::size_t>(j) * static_cast<std::size_t>(nodes_x_) +
           static_cast<std::size_t>(i);
  }

  /// A jittered, bent, turned lattice of irregular spacing.
  void place_junctions() {
    Random random = random_.child(2);
    const float reach = half_side_ * 1.45F;  // covers the square when turned
    const auto axis = [&](std::vector<float>& positions, std::vector<float>& widths) {
      float x = -reach;
      while (x < reach) {
        positions.push_back(x);
        const float kind = random.uniform();
        widths.push_back(kind < 0.2F   ? random.uniform(7.0F, 9.0F)
                         : kind < 0.8F ? random.uniform(4.8F, 6.0F)
                                       : random.uniform(3.4F, 4.2F));
        x += random.uniform(style_.block_min, style_.block_max);
      }
    };
    std::vector<float> us;
    std::vector<float> vs;
    axis(us, widths_x_);
    axis(vs, widths_y_);
    nodes_x_ = static_cast<int>(us.size());
    nodes_y_ = static_cast<int>(vs.size());
    const float turn = random.uniform(0.0F, 0.5F * std::numbers::pi_v<float>);
    const float c = std::cos(turn);
    const float s = std::sin(turn);
    const float phase_u = random.uniform(0.0F, 6.28F);
    const float phase_v = random.uniform(0.0F, 6.28F);
    const float wave = 6.2832F / random.uniform(350.0F, 600.0F);
    for (int j = 0; j < nodes_y_; ++j) {
      for (int i = 0; i < nodes_x_; ++i) {
        const float u0 = us[static_cast<std::size_t>(i)];
        const float v0 = vs[static_cast<std::size_t>(j)];
        const float u = u0 + style_.warp * std::sin(v0 * wave + phase_u) +
                        random.uniform(-1.0F, 1.0F) * style_.jitter;
        const float v = v0 + style_.warp * std::sin(u0 * wave + phase_v) +
                        random.uniform(-1.0F, 1.0F) * style_.jitter;
        nodes_.push_back({u * c - v * s, u * s + v * c});
      }
    }
  }

  [[nodiscard]] bool in_city(Vec2 p) const {
    return std::abs(p.x) < half_side_ && std::abs(p.y) < half_side_;
  }

  struct End {
    std::size_t street;
    bool at_start;
  };

  void place_streets() {
    Random random = random_.child(3);
    std::vector<std::vector<End>> ends(nodes_.size());
    const auto add = [&](std::size_t a, std::size_t b, float half_width) {
      const float fate = random.uniform();
      const std::uint32_t seed = static_cast<std::uint32_t>(random.bits() >> 32);
      const bool yellow = (seed & 3U) == 0;
      const bool parking = half_width > 4.4F && random.chance(0.8F);
      const float pavement =
          half_width < 4.4F ? random.uniform(1.5F, 2.2F) : random.uniform(2.4F, 4.0F);
      if (!in_city(nodes_[a]) || !in_city(nodes_[b])) return;
      const bool narrow = half_width < 6.5F;
      if (narrow && fate < style_.missing_streets) return;
      Street street;
      street.start = nodes_[a];
      const Vec2 along = nodes_[b] - nodes_[a];
      street.length = length(along);
      street.direction = normalised(along);
      street.half_width = half_width;
      street.pavement = pavement;
      street.yellow_centre = yellow;
      street.lanes = half_width > 6.5F ? 4 : half_width > 4.4F ? 2 : 1;
      street.parking = parking;
      street.seed = seed;
      ends[a].push_back({scene_.streets.size(), true});
      ends[b].push_back({scene_.streets.size(), false});
      scene_.streets.push_back(street);
    };
    for (int j = 0; j < nodes_y_; ++j) {
      for (int i = 0; i < nodes_x_; ++i) {
        if (i + 1 < nodes_x_) {
          add(node(i, j), node(i + 1, j), widths_y_[static_cast<std::size_t>(j)]);
        }
        if (j + 1 < nodes_y_) {
          add(node(i, j), node(i, j + 1), widths_x_[static_cast<std::size_t>(i)]);
        }
      }
    }
    for (const std::vector<End>& here : ends) clear_junction(here, random);
  }

  /// How far each street's markings stand back from a junction.
  void clear_junction(const std::vector<End>& here, Random& random) {
    for (const End& mine : here) {
      Street& street = scene_.streets[mine.street];
      const Vec2 out = mine.at_start ? street.direction : street.direction * -1.0F;
      float clear = 0.0F;
      for (const End& other : here) {
        if (other.street == mine.street) continue;
        const Street& crossing = scene_.streets[other.street];
        const Vec2 way = other.at_start ? crossing.direction : crossing.direction * -1.0F;
        const float sine = std::abs(cross(out, way));
        if (sine < 0.4F) continue;
        const float along =
            (crossing.half_width + street.half_width * std::max(0.0F, dot(out, way))) / sine;
        clear = std::max(clear, along);
      }
      if (clear > 0.0F) clear = std::min(clear + 1.0F, 0.35F * street.length);
      const bool zebra = clear > 0.0F && random.chance(street.lanes == 1 ? 0.25F : 0.65F);
      (mine.at_start ? street.clear_start : street.clear_end) = clear;
      (mine.at_start ? street.zebra_start : street.zebra_end) = zebra;
    }
  }

  void place_blocks() {
    Random random = random_.child(4);
    for (int j = 0; j + 1 < nodes_y_; ++j) {
      for (int i = 0; i + 1 < nodes_x_; ++i) {
        Block block;
        block.corner = {nodes_[node(i, j)], nodes_[node(i + 1, j)], nodes_[node(i + 1, j + 1)],
                        nodes_[node(i, j + 1)]};
        const float kind = random.uniform();
        const bool dense = style_.gap_high < 5.5F;
        block.land = kind < 0.09F                     ? Land::kPark
                     : kind < 0.14F                   ? Land::kCarPark
                     : kind < (dense ? 0.60F : 0.25F) ? Land::kPaved
                                                      : Land::kGardens;
        block.grass = hsv(random.uniform(0.19F, 0.31F), random.uniform(0.35F, 0.65F),
                          random.uniform(0.42F, 0.62F));
        block.paving = hsv(random.uniform(0.02F, 0.16F), random.uniform(0.05F, 0.4F),
                           random.uniform(0.5F, 0.74F));
        block.seed = static_cast<std::uint32_t>(random.bits() >> 32);
        if (std::all_of(block.corner.begin(), block.corner.end(),
                        [&](Vec2 c) { return in_city(c); })) {
          scene_.blocks.push_back(block);
        }
      }
    }
  }

  std::uint32_t add_material(const Material& material) {
    scene_.materials.push_back(material);
    return static_cast<std::uint32_t>(scene_.materials.size() - 1);
  }

  void add_box(Vec2 centre, Vec2 axis, Vec2 half, float z0, float z1, std::uint32_t material) {
    Solid solid;
    solid.material = material;
    solid.centre = centre;
    solid.half = half;
    solid.cosine = axis.x;
    solid.sine = axis.y;
    solid.z0 = z0;
    solid.z1 = z1;
    scene_.solids.push_back(solid);
  }

  void add_cylinder(Vec2 centre, float radius, float z0, float z1, std::uint32_t material) {
    Solid solid;
    solid.shape = Shape::kCylinder;
    solid.material = material;
    solid.centre = centre;
    solid.half = {radius, radius};
    solid.z0 = z0;
    solid.z1 = z1;
    scene_.solids.push_back(solid);
  }

  void add_tree(Vec2 at, float radius, Random& random) {
    Material leaf;
    leaf.surface = Surface::kFoliage;
    const float kind = random.uniform();
    const float bright = random.uniform(0.34F, 0.62F);
    leaf.base = kind < 0.72F
                    ? hsv(random.uniform(0.20F, 0.36F), random.uniform(0.45F, 0.75F), bright)
                : kind < 0.84F ? hsv(random.uniform(0.10F, 0.15F), 0.75F, bright + 0.2F)
                : kind < 0.94F ? hsv(random.uniform(0.01F, 0.07F), 0.75F, bright + 0.15F)
                               : hsv(random.uniform(0.88F, 0.97F), 0.35F, bright + 0.3F);
    leaf.seed = static_cast<std::uint32_t>(random.bits() >> 32);
    Material bark;
    bark.base = hsv(0.07F, random.uniform(0.2F, 0.5F), random.uniform(0.25F, 0.45F));
    bark.seed = leaf.seed;
    const float bottom = random.uniform(2.7F, 3.6F);
    const float height = radius * random.uniform(1.5F, 2.6F);
    Solid crown;
    crown.shape = Shape::kEllipsoid;
    crown.material = add_material(leaf);
    crown.centre = at;
    crown.half = {radius, radius};
    crown.z0 = bottom;
    crown.z1 = bottom + height;
    scene_.solids.push_back(crown);
    add_cylinder(at, 0.1F + 0.05F * radius, 0.0F, bottom + 0.5F * height, add_material(bark));
  }

  void add_car(Vec2 at, Vec2 along, Random& random) {
    Material paint;
    paint.surface = Surface::kCar;
    const auto& colour = kCarColours[static_cast<std::size_t>(random.index(kCarColours.size()))];
    paint.base = hsv(colour[0], colour[1], colour[2]);
    const bool van = random.chance(0.15F);
    const float half_length = van ? random.uniform(2.4F, 2.8F) : random.uniform(1.9F, 2.35F);
    const float half_width = van ? 0.98F : 0.88F;
    const std::uint32_t material = add_material(paint);
    Material glass = paint;
    glass.trim = {1.0F, 1.0F, 1.0F};  // marks the cabin
    const std::uint32_t cabin = add_material(glass);
    const float deck = van ? 1.1F : 0.85F;
    add_box(at, along, {half_length, half_width}, 0.18F, deck, material);
    const float shift = van ? -0.3F : random.uniform(-0.4F, -0.1F);
    add_box(at + along * shift, along, {half_length * (van ? 0.85F : 0.55F), half_width * 0.9F},
            deck, van ? 2.1F : 1.45F, cabin);
  }

  void furnish_street(const Street& street, Random random) {
    const Vec2 left = left_of(street.direction);
    const auto at = [&](float s, float d) {
      return street.start + street.direction * s + left * d;
    };
    const float from = street.clear_start + (street.clear_start > 0.0F ? 6.5F : 1.0F);
    const float to = street.length - street.clear_end - (street.clear_end > 0.0F ? 6.5F : 1.0F);
    Material metal;
    metal.base = hsv(0.6F, 0.1F, random.uniform(0.2F, 0.5F));
    const std::uint32_t pole = add_material(metal);
    metal.base = hsv(0.07F, 0.6F, 0.45F);
    const std::uint32_t wood = add_material(metal);
    const float full = random.uniform(0.15F, 0.75F);
    const bool trees = random.chance(style_.trees) && street.pavement > 2.2F;
    const float tree_step = random.uniform(8.0F, 16.0F);
    for (const float side : {-1.0F, 1.0F}) {
      if (street.parking) {
        for (float s = from + 3.0F; s < to - 2.5F; s += 6.0F) {
          if (random.chance(full)) {
            const Vec2 way =
                random.chance(0.1F) ? street.direction * side : street.direction * -side;
            add_car(at(s + random.uniform(-0.5F, 0.5F), side * (street.half_width - 1.15F)), way,
                    random);
          }
        }
      }
      const float lamp_start = random.uniform(2.0F, 20.0F);
      for (float s = from + lamp_start; s < to; s += 28.0F) {
        const float d = side * (street.half_width + 0.5F);
        add_cylinder(at(s, d), 0.09F, 0.0F, 6.2F, pole);
        add_box(at(s, d - side * 0.8F), street.direction, {0.18F, 0.95F}, 6.1F, 6.3F, pole);
      }
      if (trees) {
        for (float s = from + tree_step * 0.5F; s < to; s += tree_step) {
          if (random.chance(0.85F)) {
            add_tree(at(s + random.uniform(-1.0F, 1.0F), side * (street.half_width + 1.0F)),
                     random.uniform(1.4F, 2.9F), random);
          }
        }
      } else if (random.chance(0.5F) && street.pavement > 2.2F) {
        add_box(at(random.uniform(from, to), side * (street.half_width + street.pavement - 0.5F)),
                street.direction, {0.9F, 0.22F}, 0.0F, 0.5F, wood);
      }
    }
  }

  /// Distance from p to the nearest edge of a carriageway's pavement (negative inside), capped.
  [[nodiscard]] float street_clearance(Vec2 p) const {
    float nearest = kClearance;
    const auto visit = [&](Vec2 at) {
      for (const std::uint32_t i : scene_.street_cells.at(at)) {
        const Street& street = scene_.streets[i];
        const Vec2 r = p - street.start;
        const float s = std::clamp(dot(r, street.direction), 0.0F, street.length);
        nearest = std::min(nearest,
                           length(r - street.direction * s) - street.half_width - street.pavement);
      }
    };
    for (const float dy : {-kClearance, 0.0F, kClearance}) {
      for (const float dx : {-kClearance, 0.0F, kClearance}) visit(p + Vec2{dx, dy});
    }
    return nearest;
  }

  static bool separated(const Solid& a, const Solid& b) {
    const auto apart_along = [&](const Solid& frame, const Solid& other) {
      const Vec2 d = frame.to_local(other.centre);
      const float c = frame.cosine * other.cosine + frame.sine * other.sine;
      const float s = frame.cosine * other.sine - frame.sine * other.cosine;
      const float rx = std::abs(c) * other.half.x + std::abs(s) * other.half.y;
      const float ry = std::abs(s) * other.half.x + std::abs(c) * other.half.y;
      return std::abs(d.x) > frame.half.x + rx || std::abs(d.y) > frame.half.y + ry;
    };
    return apart_along(a, b) || apart_along(b, a);
  }

  static std::size_t hash_cell(int x, int y) { return hash_lattice(x, y, 77U) % kHashCells; }

  [[nodiscard]] bool place_free(const Solid& box) const {
    for (float u = -1.0F; u <= 1.0F; u += 0.5F) {
      for (float v = -1.0F; v <= 1.0F; v += 0.5F) {
        if (street_clearance(box.to_world({u * box.half.x, v * box.half.y})) < 0.2F) return false;
      }
    }
    const int x = floor_int(box.centre.x / kHashCell);
    const int y = floor_int(box.centre.y / kHashCell);
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        for (const std::uint32_t i : building_cells_[hash_cell(x + dx, y + dy)]) {
          if (!separated(box, scene_.solids[i])) return false;
        }
      }
    }
    return true;
  }

  Material facade(Random& random) const {
    const auto& p = kPalettes[static_cast<std::size_t>(random.index(kPalettes.size()))];
    Material m;
    m.surface = Surface::kFacade;
    const float hue = random.uniform(-0.02F, 0.02F);
    const float value = random.uniform(-0.08F, 0.08F);
    const float saturation = random.uniform(0.8F, 1.15F);
    m.base = hsv(p.hue + hue, std::min(1.0F, p.saturation * saturation), p.value + value);
    m.roof =
        hsv(p.roof_hue + hue, std::min(1.0F, p.roof_saturation * saturation), p.roof_value + value);
    m.trim = mix(hsv(0.1F, 0.05F, p.trim_value), m.base, 0.3F);
    m.accent = hsv(random.uniform(), 0.75F, random.uniform(0.45F, 0.8F));
    m.floor_height = random.uniform(2.9F, 3.6F);
    m.window_pitch = random.uniform(2.0F, 4.2F);
    m.window_width = random.uniform(0.35F, 0.72F);
    m.window_height = random.uniform(0.38F, 0.62F);
    m.seed = static_cast<std::uint32_t>(random.bits() >> 32);
    return m;
  }

  bool add_building(Solid box, float height, Random& random) {
    Material material = facade(random);
    material.shop_front = random.chance(style_.gap_high < 5.5F ? 0.5F : 0.1F);
    const bool flat = random.chance(style_.flat_roofs) || std::min(box.half.x, box.half.y) > 8.0F;
    const bool hip = random.chance(0.4F);
    const float slope = random.uniform(0.45F, 0.9F);
    box.z0 = 0.0F;
    box.z1 = height;
    if (!flat) {
      box.roof = hip ? Roof::kHip : Roof::kGable;
      if (box.half.y > box.half.x) {  // the ridge runs along the longer side
        std::swap(box.half.x, box.half.y);
        const float c = box.cosine;
        box.cosine = -box.sine;
        box.sine = c;
      }
      box.roof_slope = slope;
      box.z1 = height + slope * box.half.y;
    } else {  // flat roofs keep the wall's colour to a degree
      material.roof = mix(material.roof, material.base * 0.8F, random.uniform(0.0F, 0.6F));
    }
    if (!place_free(box)) return false;
    const auto index = static_cast<std::uint32_t>(scene_.solids.size());
    building_cells_[hash_cell(floor_int(box.centre.x / kHashCell),
                              floor_int(box.centre.y / kHashCell))]
        .push_back(index);
    box.material = add_material(material);
    scene_.solids.push_back(box);
    const Vec2 axis{box.cosine, box.sine};
    Material plant;
    plant.base = hsv(0.6F, 0.03F, random.uniform(0.45F, 0.85F));
    if (flat) {
      const int units = random.index(4);
      const std::uint32_t grey = units > 0 ? add_material(plant) : 0;
      for (int i = 0; i < units; ++i) {
        const Vec2 half{random.uniform(0.6F, 1.8F), random.uniform(0.6F, 1.8F)};
        const Vec2 room = box.half - half - Vec2{1.0F, 1.0F};
        if (room.x <= 0.0F || room.y <= 0.0F) continue;
        add_box(box.to_world(
                    {random.uniform(-1.0F, 1.0F) * room.x, random.uniform(-1.0F, 1.0F) * room.y}),
                axis, half, height, height + random.uniform(0.8F, 2.6F), grey);
      }
    } else if (random.chance(0.5F)) {  // chimney, in the wall's colour
      plant.base = material.base;
      add_box(box.to_world({random.uniform(-0.6F, 0.6F) * box.half.x, 0.3F * box.half.y}), axis,
              {0.5F, 0.5F}, height, box.z1 + 0.9F, add_material(plant));
    }
    return true;
  }

  void fill_block(const Block& block, Random random) {
    if (block.land == Land::kPark || block.land == Land::kCarPark) {
      if (block.land == Land::kCarPark) fill_car_park(block, random);
      scatter_trees(block, random, block.land == Land::kPark ? 40 : 6);
      return;
    }
    const float block_height = random.uniform();
    for (std::size_t e = 0; e < 4; ++e) {
      const Vec2 a = block.corner[e];
      const Vec2 b = block.corner[(e + 1) % 4];
      const Vec2 along = normalised(b - a);
      const Vec2 inward = left_of(along);
      const float edge = length(b - a);
      const float front = random.uniform(0.3F, style_.setback_high);
      float s = random.uniform(5.0F, 10.0F);
      while (s < edge - 8.0F) {
        Solid box;
        box.half = {0.5F * random.uniform(8.0F, 22.0F), 0.5F * random.uniform(9.0F, 17.0F)};
        box.cosine = along.x;
        box.sine = along.y;
        // Push in from the street until the front stands clear of the pavement.
        const Vec2 foot = a + along * (s + box.half.x);
        float in = 3.0F;
        while (in < 14.0F && street_clearance(foot + inward * in) < front) in += 0.4F;
        box.centre = foot + inward * (in + box.half.y);
        const float tall = 0.6F * block_height + 0.4F * random.uniform();
        const float height =
            style_.height_low + (style_.height_high - style_.height_low) * tall * tall;
        const bool built = random.chance(0.93F) && add_building(box, height, random);
        if (built && front > 2.0F && random.chance(0.4F)) {
          Material green;
          green.surface = Surface::kHedge;
          green.base = hsv(random.uniform(0.22F, 0.34F), 0.6F, random.uniform(0.3F, 0.5F));
          green.seed = block.seed;
          add_box(foot + inward * (in - front + 0.7F), along, {box.half.x * 0.8F, 0.35F}, 0.0F,
                  random.uniform(0.7F, 1.3F), add_material(green));
        }
        s += 2.0F * box.half.x + random.uniform(0.2F, style_.gap_high);
      }
    }
    scatter_trees(block, random, block.land == Land::kGardens ? 34 : 14);
  }

  static Vec2 inside(const Block& block, float u, float v) {
    return (block.corner[0] * (1.0F - u) + block.corner[1] * u) * (1.0F - v) +
           (block.corner[3] * (1.0F - u) + block.corner[2] * u) * v;
  }

  void scatter_trees(const Block& block, Random& random, int tries) {
    for (int i = 0; i < tries; ++i) {
      const Vec2 at = inside(block, random.uniform(), random.uniform());
      const float radius = random.uniform(1.2F, 3.6F);
      Solid box;
      box.centre = at;
      box.half = {0.7F * radius, 0.7F * radius};
      if (street_clearance(at) > 0.6F && place_free(box)) add_tree(at, radius, random);
    }
  }

  void fill_car_park(const Block& block, Random& random) {
    const Vec2 along = normalised(block.corner[1] - block.corner[0]);
    const Vec2 across = left_of(along);
    const float fullness = random.uniform(0.2F, 0.7F);
    // Rows and bays as painted by the ground's shader: 16 m between aisles, bays of 2.7 m.
    for (int row = 0; row < 9; ++row) {
      for (int bay = 0; bay < 50; ++bay) {
        for (const float side : {2.6F, 7.8F}) {
          const Vec2 at = block.corner[0] + along * (2.7F * (static_cast<float>(bay) + 0.5F)) +
                          across * (16.0F * static_cast<float>(row) + side);
          const bool taken = random.chance(fullness);
          const Vec2 end = at + across * (side < 5.0F ? -2.8F : 2.8F);
          if (!taken || street_clearance(at) < 2.0F || street_clearance(end) < 0.3F ||
              !contains(block, at)) {
            continue;
          }
          add_car(at, random.chance(0.5F) ? across : across * -1.0F, random);
        }
      }
    }
  }

  static bool contains(const Block& block, Vec2 p) {
    for (std::size_t e = 0; e < 4; ++e) {
      if (cross(block.corner[(e + 1) % 4] - block.corner[e], p - block.corner[e]) < 0.0F) {
        return false;
      }
    }
    return true;
  }

  Random random_;
  const CityStyle& style_;
  float half_side_;
  Scene scene_;
  int nodes_x_ = 0;
  int nodes_y_ = 0;
  std::vector<float> widths_x_;
  std::vector<float> widths_y_;
  std::vector<Vec2> nodes_;
  std::vector<std::vector<std::uint32_t>> building_cells_;
};

}  // namespace

const CityStyle& city_style(int number) { return kStyles.at(static_cast<std::size_t>(number)); }

Scene build_city(std::uint64_t key, const CityStyle& style, float half_side) {
  return Builder(key, style, half_side).build();
}

}  // namespace crossfix::world
