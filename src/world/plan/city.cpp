#include "city.hpp"

#include <array>
#include <bit>

#include "palette.hpp"
#include "random.hpp"
#include "solid_maker.hpp"
#include "street_layout.hpp"

namespace crossfix::world {

namespace {

constexpr std::array<CityStyle, kOrdinaryStyles + kReservedStyles> kStyles{{
    {"suburb", 70, 105, 10, 16, 4, 9, 8, 7, 0.6F, 0.15F, 0.12F, 6, 0.02F, 0.3F, 0.15F},
    {"town", 60, 95, 8, 8, 6, 14, 5, 4, 0.5F, 0.45F, 0.10F, 3, 0.06F, 0.2F, 0.3F},
    {"centre", 65, 110, 4, 3, 9, 26, 4, 2, 0.35F, 0.85F, 0.06F, 1, 0.08F, 0.15F, 0.6F},
    {"old town", 48, 80, 11, 12, 6, 15, 3, 2, 0.3F, 0.3F, 0.15F, 5, 0.05F, 0.1F, 0.5F},
    {"grid", 75, 90, 0.5F, 0, 6, 16, 4, 3, 0.4F, 0.8F, 0.02F, 0, 0.03F, 0.45F, 0.4F},
    {"terraces", 50, 75, 6, 8, 6, 10, 1, 3, 0.3F, 0.1F, 0.08F, 3, 0, 0.85F, 0.2F},
    {"estate", 85, 120, 10, 14, 10, 34, 12, 9, 0.7F, 0.95F, 0.10F, 7, 0, 0.6F, 0.2F},
    {"garden city", 75, 115, 12, 22, 5, 12, 9, 8, 0.8F, 0.3F, 0.14F, 8, 0.05F, 0.4F, 0.2F},
    {"boulevards", 80, 120, 6, 5, 8, 20, 5, 4, 0.6F, 0.7F, 0.05F, 1, 0.15F, 0.25F, 0.6F},
    {"harbour", 55, 110, 7, 4, 5, 22, 6, 3, 0.15F, 0.6F, 0.12F, 2, 0.1F, 0.35F, 0.4F},
}};

class Builder {
 public:
  Builder(std::uint64_t key, const CityStyle& style, float half_side)
      : random_(key), style_(style), half_side_(half_side), add_(scene_) {
    scene_.seed = static_cast<std::uint32_t>(mix64(key) >> 32);
  }

  Scene build() {
    Random colours = random_.child(1);
    const float asphalt_value = colours.uniform(0.36F, 0.46F);
    scene_.asphalt = hsv(0.6F, colours.uniform(0.0F, 0.08F), asphalt_value);
    scene_.pavement = random_colour(colours, {0.05F, 0.13F}, {0.03F, 0.16F}, {0.66F, 0.78F});
    scene_.country = hsv(colours.uniform(0.2F, 0.28F), 0.4F, 0.5F);
    scene_.markings = random_markings(random_.child(5));
    lay_streets(scene_, random_, style_, half_side_);
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
  static Markings random_markings(Random random) {
    Markings markings;
    markings.left_hand = random.chance(0.3F);
    markings.yellow_centre = random.chance(0.35F);
    markings.parking_bays = random.chance(0.7F);
    markings.crossing = static_cast<Markings::Crossing>(random.index(3));
    markings.dash_period = random.uniform(4.0F, 12.0F);
    markings.dash_share = random.uniform(0.3F, 0.65F);
    return markings;
  }

  static constexpr std::size_t kHashCells = 1U << 14U;
  static constexpr float kHashCell = 32.0F;
  static constexpr float kClearance = 8.0F;  // at most the side of a cell of streets

  // Shares of all dates on which a given car or person is there.
  static constexpr float kParkedPresence = 0.65F;
  static constexpr float kPassingPresence = 0.3F;

  void furnish_street(const Street& street, Random random) {
    const Vec2 left = left_of(street.direction);
    const auto at = [&](float s, float d) {
      return street.start + street.direction * s + left * d;
    };
    const float from = street.clear_start + (street.clear_start > 0.0F ? 6.5F : 1.0F);
    const float to = street.length - street.clear_end - (street.clear_end > 0.0F ? 6.5F : 1.0F);
    Material metal;
    metal.base = hsv(0.6F, 0.1F, random.uniform(0.2F, 0.5F));
    const std::uint32_t pole = add_.material(metal);
    metal.base = hsv(0.07F, 0.6F, 0.45F);
    const std::uint32_t wood = add_.material(metal);
    const float full = random.uniform(0.15F, 0.75F);
    const bool trees = random.chance(style_.trees) && street.pavement > 2.2F;
    const float tree_step = random.uniform(8.0F, 16.0F);
    for (const float side : {-1.0F, 1.0F}) {
      const Vec2 driven = street.direction * (scene_.markings.left_hand ? side : -side);
      if (street.parking) {
        for (float s = from + 3.0F; s < to - 2.5F; s += 6.0F) {
          if (random.chance(std::min(1.0F, full / kParkedPresence))) {
            const Vec2 way = random.chance(0.1F) ? driven * -1.0F : driven;
            add_.car(at(s + random.uniform(-0.5F, 0.5F), side * (street.half_width - 1.15F)), way,
                     kParkedPresence, random);
          }
        }
      }
      for (float s = from + random.uniform(0.0F, 10.0F); s < to && street.lanes > 1;
           s += random.uniform(9.0F, 16.0F)) {
        if (!random.chance(style_.traffic)) continue;
        const float lane = 0.5F * (street.half_width - (street.parking ? 2.3F : 0.3F));
        const float d = street.lanes == 4 && random.chance(0.5F) ? 1.5F * lane : 0.55F * lane;
        add_.car(at(s, side * d), driven, kPassingPresence, random);
      }
      for (float s = random.uniform(1.0F, 8.0F); s < street.length - 1.0F;
           s += random.uniform(3.0F, 9.0F)) {
        if (!random.chance(style_.traffic)) continue;
        const float across = random.uniform(0.2F, 0.9F) * street.pavement;
        add_.person(at(s, side * (street.half_width + across)), kPassingPresence, random);
      }
      const float lamp_start = random.uniform(2.0F, 20.0F);
      for (float s = from + lamp_start; s < to; s += 28.0F) {
        const float d = side * (street.half_width + 0.5F);
        add_.cylinder(at(s, d), 0.09F, 0.0F, 6.2F, pole);
        add_.box(at(s, d - side * 0.8F), street.direction, {0.18F, 0.95F}, 6.1F, 6.3F, pole);
      }
      if (trees) {
        for (float s = from + tree_step * 0.5F; s < to; s += tree_step) {
          if (random.chance(0.85F)) {
            const float radius = random.uniform(1.5F, 3.8F);
            const float along = s + random.uniform(-1.0F, 1.0F);
            add_.tree(at(along, side * (street.half_width + 1.0F)), radius, random);
          }
        }
      } else if (random.chance(0.5F) && street.pavement > 2.2F) {
        add_.box(at(random.uniform(from, to), side * (street.half_width + street.pavement - 0.5F)),
                 street.direction, {0.9F, 0.22F}, 0.0F, 0.5F, wood);
      }
    }
  }

  /// Distance from p to the nearest outer edge of a pavement (negative inside), capped.
  [[nodiscard]] float street_clearance(Vec2 p) const {
    float nearest = kClearance;
    const auto visit = [&](Vec2 at) {
      for (const std::uint32_t i : scene_.street_cells.at(at)) {
        const Street& street = scene_.streets[i];
        nearest = std::min(nearest, street.distance(p) - street.half_width - street.pavement);
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

  [[nodiscard]] bool is_free(const Solid& box) const {
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

  bool add_building(Solid box, float height, Random& random) {
    Material material = random_facade(random, style_.facades, style_.odd_roofs);
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
    } else {  // flat roofs have the colour of the wall, more or less
      material.roof = mix(material.roof, material.base * 0.8F, random.uniform(0.0F, 0.6F));
    }
    if (!is_free(box)) return false;
    const auto index = static_cast<std::uint32_t>(scene_.solids.size());
    building_cells_[hash_cell(floor_int(box.centre.x / kHashCell),
                              floor_int(box.centre.y / kHashCell))]
        .push_back(index);
    box.material = add_.material(material);
    scene_.solids.push_back(box);
    const Vec2 axis{box.cosine, box.sine};
    Material plant;
    plant.base = hsv(0.6F, 0.03F, random.uniform(0.45F, 0.85F));
    if (flat) {
      const int units = random.index(4);
      const std::uint32_t grey = units > 0 ? add_.material(plant) : 0;
      for (int i = 0; i < units; ++i) {
        const Vec2 half{random.uniform(0.6F, 1.8F), random.uniform(0.6F, 1.8F)};
        const Vec2 room = box.half - half - Vec2{1.0F, 1.0F};
        if (room.x <= 0.0F || room.y <= 0.0F) continue;
        const float top = height + random.uniform(0.8F, 2.6F);
        const Vec2 local{random.uniform(-1.0F, 1.0F) * room.x,
                         random.uniform(-1.0F, 1.0F) * room.y};
        add_.box(box.to_world(local), axis, half, height, top, grey);
      }
    } else if (random.chance(0.5F)) {  // chimney, in the colour of the wall
      plant.base = material.base;
      add_.box(box.to_world({random.uniform(-0.6F, 0.6F) * box.half.x, 0.3F * box.half.y}), axis,
               {0.5F, 0.5F}, height, box.z1 + 0.9F, add_.material(plant));
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
      const bool row = random.chance(style_.rows);
      const Random one_house = random.child(e);
      while (s < edge - 8.0F) {
        Random own = random.child(1000 + static_cast<std::uint64_t>(s * 16.0F));
        Random house = row ? one_house : own;
        Solid box;
        box.half = {0.5F * house.uniform(8.0F, row ? 13.0F : 22.0F),
                    0.5F * house.uniform(9.0F, 17.0F)};
        box.cosine = along.x;
        box.sine = along.y;
        // Move in from the street until the front is clear of the pavement.
        const Vec2 foot = a + along * (s + box.half.x);
        float in = 3.0F;
        while (in < 14.0F && street_clearance(foot + inward * in) < front) in += 0.4F;
        box.centre = foot + inward * (in + box.half.y);
        const float tall = 0.6F * block_height + 0.4F * house.uniform();
        const float height =
            style_.height_low + (style_.height_high - style_.height_low) * tall * tall;
        const bool built = own.chance(row ? 0.97F : 0.93F) && add_building(box, height, house);
        if (built && front > 2.0F && random.chance(0.4F)) {
          Material green;
          green.surface = Surface::kHedge;
          const float value = random.uniform(0.3F, 0.5F);
          green.base = hsv(random.uniform(0.22F, 0.34F), 0.6F, value);
          green.seed = block.seed;
          add_.box(foot + inward * (in - front + 0.7F), along, {box.half.x * 0.8F, 0.35F}, 0.0F,
                   random.uniform(0.7F, 1.3F), add_.material(green));
        }
        s += 2.0F * box.half.x + (row ? 0.25F : random.uniform(0.2F, style_.gap_high));
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
      const float v = random.uniform();
      const Vec2 at = inside(block, random.uniform(), v);
      const float radius = random.uniform(1.2F, 3.6F);
      Solid box;
      box.centre = at;
      box.half = {0.7F * radius, 0.7F * radius};
      if (street_clearance(at) > 0.6F && is_free(box)) add_.tree(at, radius, random);
    }
  }

  void fill_car_park(const Block& block, Random& random) {
    const Vec2 along = normalised(block.corner[1] - block.corner[0]);
    const Vec2 across = left_of(along);
    const float fullness = random.uniform(0.2F, 0.7F);
    // Rows and bays as the ground's shader paints them: 16 m between aisles, bays of 2.7 m.
    for (int row = 0; row < 9; ++row) {
      for (int bay = 0; bay < 50; ++bay) {
        for (const float side : {2.6F, 7.8F}) {
          const Vec2 at = block.corner[0] + along * (2.7F * (static_cast<float>(bay) + 0.5F)) +
                          across * (16.0F * static_cast<float>(row) + side);
          const bool taken = random.chance(std::min(1.0F, fullness / kParkedPresence));
          const Vec2 end = at + across * (side < 5.0F ? -2.8F : 2.8F);
          if (!taken || street_clearance(at) < 2.0F || street_clearance(end) < 0.3F ||
              !block.contains(at)) {
            continue;
          }
          add_.car(at, random.chance(0.5F) ? across : across * -1.0F, kParkedPresence, random);
        }
      }
    }
  }

  Random random_;
  const CityStyle& style_;
  float half_side_;
  Scene scene_;
  SolidMaker add_;
  std::vector<std::vector<std::uint32_t>> building_cells_;
};

}  // namespace

const CityStyle& city_style(int number) { return kStyles.at(static_cast<std::size_t>(number)); }

CityStyle draw_style(const CityStyle& family, Random random) {
  CityStyle city = family;
  for (float* measure :
       {&city.block_min, &city.jitter, &city.warp, &city.height_low, &city.height_high,
        &city.gap_high, &city.setback_high, &city.trees, &city.flat_roofs, &city.missing_streets,
        &city.curve, &city.diagonals, &city.rows, &city.traffic, &city.odd_roofs}) {
    *measure *= random.uniform(0.8F, 1.2F);
  }
  city.block_max = city.block_min + (family.block_max - family.block_min) * random.uniform();
  city.setback_high = std::max(city.setback_high, 0.6F);
  while (std::popcount(city.facades) > 7) city.facades &= ~(1U << random.index(kFacadeCount));
  return city;
}

Scene build_city(std::uint64_t key, const CityStyle& style, float half_side) {
  return Builder(key, style, half_side).build();
}

}  // namespace crossfix::world
