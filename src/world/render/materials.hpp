/// Procedural colours of the ground and of solids, the same in both views.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "world/plan/random.hpp"
#include "world/plan/ray_code.hpp"
#include "world/plan/scene.hpp"

namespace crossfix::world {

/// The surface at a point, before it is lit.
struct SurfaceSample {
  Vec3 albedo;         ///< linear RGB
  Vec3 normal;         ///< unit, bumps included
  float gloss = 0.0F;  ///< share of the mirrored sky
};

/// What the time of the year does to leaves and grass; each value in [0, 1].
struct Season {
  float autumn = 0.0F;
  float winter = 0.0F;
};

namespace materials {

constexpr Vec3 white_paint() { return {0.78F, 0.78F, 0.76F}; }
constexpr Vec3 yellow_paint() { return {0.75F, 0.52F, 0.06F}; }
inline constexpr float kParkingLane = 2.3F;
inline constexpr float kBay = 2.7F;
inline constexpr float kBayRows = 16.0F;

CROSSFIX_RAY_CODE float fraction(float value) {
  return value - static_cast<float>(floor_int(value));
}
CROSSFIX_RAY_CODE bool within(float value, float low, float high) {
  return value >= low && value < high;
}

/// Paint of a pedestrian crossing, `inner` metres past the junction and d metres from the middle.
CROSSFIX_RAY_CODE bool crossing(Markings::Crossing kind, float inner, float d, float half_width) {
  if (std::abs(d) >= half_width - 0.3F) return false;
  const bool bars = fraction(d / 1.2F + 0.25F) < 0.5F;
  const bool lines = within(inner, 0.5F, 0.75F) || within(inner, 3.75F, 4.0F);
  switch (kind) {
    case Markings::Crossing::kZebra:
      return bars;
    case Markings::Crossing::kTwoLines:
      return lines;
    case Markings::Crossing::kLadder:
      return bars || lines;
  }
  return false;
}

/// Paint on the carriageway, s metres along and d metres left of the centre line.
CROSSFIX_RAY_CODE bool is_painted(const Markings& city, const Street& street, float s, float d,
                                  Vec3& paint) {
  const float to_end = street.length - s;
  const float inner =
      std::min(s - street.clear_start, to_end - street.clear_end);  // metres past the junction
  if (inner < 0.0F) return false;
  const bool first_half = s - street.clear_start < to_end - street.clear_end;
  const bool zebra = first_half ? street.zebra_start : street.zebra_end;
  const bool junction = (first_half ? street.clear_start : street.clear_end) > 0.0F;
  paint = white_paint();
  if (zebra && within(inner, 0.5F, 4.0F)) {
    return crossing(city.crossing, inner, d, street.half_width);
  }
  if (street.lanes == 1) return false;
  const float drive = street.half_width - (street.parking ? kParkingLane : 0.3F);
  // The lane that enters a junction has its stop line.
  if (junction && within(inner, 4.8F, 5.25F)) {
    const float entering = first_half != city.left_hand ? d : -d;
    return within(entering, 0.15F, drive);
  }
  if (junction && inner < 5.5F) return false;
  const float side = std::abs(d);
  if (street.parking && city.parking_bays) {
    if (within(side, drive - 0.08F, drive + 0.08F)) return true;
    if (side > drive && fraction(s / 6.0F) < 0.022F) return true;
  }
  const bool dash = fraction(s / city.dash_period) < city.dash_share;
  if (street.lanes == 4) {
    if (within(side, 0.5F * drive - 0.08F, 0.5F * drive + 0.08F)) return dash;
    if (city.yellow_centre) paint = yellow_paint();
    return within(side, 0.1F, 0.28F);
  }
  if (city.yellow_centre) paint = yellow_paint();
  return side < 0.09F && (city.yellow_centre || dash);
}

CROSSFIX_RAY_CODE Vec3 grass(Vec3 base, const Season& season, Vec2 p, std::uint32_t seed) {
  constexpr Vec3 kDry{0.20F, 0.15F, 0.07F};
  base = mix(base, kDry, 0.15F * season.autumn + 0.55F * season.winter);
  return base * (0.55F + 0.5F * value_noise(p.x * 0.25F, p.y * 0.25F, seed) +
                 0.35F * value_noise(p.x * 2.5F, p.y * 2.5F, seed + 1));
}

CROSSFIX_RAY_CODE Vec3 asphalt(Vec3 base, Vec2 p, std::uint32_t seed) {
  return base * (0.72F + 0.36F * value_noise(p.x * 0.15F, p.y * 0.15F, seed) +
                 0.2F * value_noise(p.x * 3.0F, p.y * 3.0F, seed + 1));
}

CROSSFIX_RAY_CODE Vec3 slabs(Vec3 base, Vec2 p, float size, std::uint32_t seed) {
  const float x = p.x / size;
  const float y = p.y / size;
  const int ix = floor_int(x);
  const int iy = floor_int(y);
  const bool joint = x - static_cast<float>(ix) < 0.06F || y - static_cast<float>(iy) < 0.06F;
  return base * ((joint ? 0.72F : 0.9F + 0.16F * lattice_uniform(ix, iy, seed)) *
                 (0.85F + 0.25F * value_noise(p.x * 0.4F, p.y * 0.4F, seed)));
}

CROSSFIX_RAY_CODE Vec3 park(const Block& block, const Season& season, Vec2 p) {
  const Vec3 path = block.paving;
  const Vec2 centre =
      (block.corner[0] + block.corner[1] + block.corner[2] + block.corner[3]) * 0.25F;
  const float radius = length(p - centre);
  const bool pond = (block.seed & 1U) != 0;
  if (radius < 7.0F) return pond ? Vec3{0.03F, 0.11F, 0.16F} : path * 1.1F;
  if (radius < 9.0F) return path;
  for (std::size_t e = 0; e < 2; ++e) {
    const Vec2 along = normalised(block.corner[e + 2] - block.corner[e]);
    if (std::abs(cross(along, p - block.corner[e])) < 1.3F) return path;
  }
  return grass(block.grass, season, p, block.seed);
}

CROSSFIX_RAY_CODE Vec3 car_park(const SceneView& scene, const Block& block, Vec2 p) {
  const Vec2 along = normalised(block.corner[1] - block.corner[0]);
  const Vec2 r = p - block.corner[0];
  const float bay = fraction(dot(r, along) / kBay);
  const float row = fraction(dot(r, left_of(along)) / kBayRows) * kBayRows;
  const bool line = row < 10.4F && (bay < 0.05F || within(row, 5.1F, 5.3F));
  return line ? white_paint() : asphalt(scene.asphalt * 1.15F, p, block.seed);
}

CROSSFIX_RAY_CODE Vec3 land(const SceneView& scene, const Season& season, Vec2 p) {
  for (const std::uint32_t i : scene.block_cells.at(p)) {
    const Block& block = scene.blocks[i];
    if (!block.contains(p)) continue;
    switch (block.land) {
      case Land::kGardens:
        return grass(block.grass, season, p, block.seed);
      case Land::kPaved:
        return slabs(block.paving, p, 1.8F, block.seed);
      case Land::kPark:
        return park(block, season, p);
      case Land::kCarPark:
        return car_park(scene, block, p);
    }
  }
  return grass(scene.country, season, p, scene.seed);
}

struct WallPoint {
  float along;   // metres from the left corner of the wall
  float width;   // of the wall
  float height;  // above the ground
  int side;      // 0..3
};

CROSSFIX_RAY_CODE SurfaceSample wall(const Solid& solid, const Material& m, const WallPoint& at,
                                     Vec3 normal) {
  SurfaceSample sample{m.base, normal, 0.0F};
  const auto side = static_cast<std::uint32_t>(at.side);
  const float grain = 0.86F + 0.2F * value_noise(at.along * 1.7F, at.height * 3.5F, m.seed + side);
  sample.albedo = m.base * grain;
  const float eaves =
      solid.roof == Roof::kFlat ? solid.z1 : solid.z1 - solid.roof_slope * solid.half.y;
  if (at.height > eaves - 0.7F && solid.roof == Roof::kFlat) {
    sample.albedo = m.trim * grain;
    return sample;
  }
  const float floors = at.height / m.floor_height;
  const int floor = floor_int(floors);
  const float in_floor = floors - static_cast<float>(floor);
  const int bays = std::max(1, floor_int(at.width / m.window_pitch));
  const float bay_at = at.along / at.width * static_cast<float>(bays);
  const int bay = floor_int(bay_at);
  const float in_bay = bay_at - static_cast<float>(bay);
  const std::uint32_t key = m.seed + side * 7919U;
  const auto glass = [&](float light) {
    sample.albedo = Vec3{0.025F, 0.035F, 0.05F} + Vec3{0.10F, 0.10F, 0.09F} * light;
    sample.gloss = 0.35F;
  };
  if (floor == 0 && m.shop_front) {
    if (in_floor > 0.80F) {
      sample.albedo = m.accent;
    } else if (in_floor > 0.12F && within(in_bay, 0.06F, 0.94F)) {
      glass(lattice_uniform(bay, 0, key));
    }
    return sample;
  }
  if (floor == 0 && bay == bays / 2 && in_floor < 0.68F) {
    if (within(in_bay, 0.30F, 0.70F)) {
      sample.albedo = in_floor > 0.64F || !within(in_bay, 0.34F, 0.66F) ? m.trim : m.accent * 0.8F;
    }
    return sample;
  }
  if (static_cast<float>(floor + 1) * m.floor_height > eaves + 0.3F) return sample;  // gable, attic
  if (in_floor < 0.05F && floor > 0) sample.albedo = m.trim * grain;
  const float x = std::abs(in_bay - 0.5F);
  const float y = std::abs(in_floor - 0.55F);
  if (x < 0.5F * m.window_width + 0.05F && y < 0.5F * m.window_height + 0.05F) {
    sample.albedo = m.trim;
    if (x < 0.5F * m.window_width && y < 0.5F * m.window_height) {
      glass(lattice_uniform(bay, floor, key));
    }
  }
  return sample;
}

CROSSFIX_RAY_CODE SurfaceSample roof(const Solid& solid, const Material& m, Vec2 local,
                                     Vec3 normal) {
  SurfaceSample sample{m.roof, normal, 0.0F};
  if (solid.roof == Roof::kFlat) {
    const float edge = std::min(solid.half.x - std::abs(local.x), solid.half.y - std::abs(local.y));
    if (edge < 0.45F) {
      sample.albedo = m.trim;
      return sample;
    }
    sample.albedo = m.roof * (0.78F + 0.3F * value_noise(local.x * 0.5F, local.y * 0.5F, m.seed) +
                              0.12F * value_noise(local.x * 3.0F, local.y * 3.0F, m.seed));
    if (edge < 0.9F) sample.albedo = sample.albedo * 0.7F;
    // Skylights on some roofs.
    if ((m.seed & 3U) == 0 && edge > 2.0F) {
      const float u = fraction(local.x / 3.5F);
      const float v = fraction(local.y / 3.5F);
      if (within(u, 0.3F, 0.7F) && within(v, 0.35F, 0.65F)) {
        sample.albedo = {0.35F, 0.42F, 0.46F};
        sample.gloss = 0.2F;
      }
    }
    return sample;
  }
  // Courses of tiles, with a lighter ridge.
  const float down = std::abs(normal.z) > 0.01F ? local.y : local.x;
  const float course = fraction(down / 0.45F) < 0.25F ? 0.82F : 1.0F;
  sample.albedo =
      m.roof * (course * (0.8F + 0.35F * value_noise(local.x * 1.2F, local.y * 1.2F, m.seed)));
  if (solid.roof == Roof::kGable && std::abs(local.y) < 0.18F) sample.albedo = m.trim * 0.7F;
  return sample;
}

CROSSFIX_RAY_CODE SurfaceSample facade(const Solid& solid, const Material& m, Vec3 point,
                                       Vec3 normal) {
  const Vec2 local = solid.to_local({point.x, point.y});
  if (normal.z > 0.05F) return roof(solid, m, local, normal);
  const Vec2 n{normal.x * solid.cosine + normal.y * solid.sine,
               normal.y * solid.cosine - normal.x * solid.sine};
  if (std::abs(n.x) > std::abs(n.y)) {
    const float along = n.x > 0.0F ? local.y + solid.half.y : solid.half.y - local.y;
    return wall(solid, m, {along, 2.0F * solid.half.y, point.z, n.x > 0.0F ? 0 : 1}, normal);
  }
  const float along = n.y > 0.0F ? solid.half.x - local.x : local.x + solid.half.x;
  return wall(solid, m, {along, 2.0F * solid.half.x, point.z, n.y > 0.0F ? 2 : 3}, normal);
}

/// The colour of a leaf; one plant in four is evergreen.
CROSSFIX_RAY_CODE Vec3 leaf_colour(const Material& m, const Season& season) {
  constexpr Vec3 kBare{0.13F, 0.10F, 0.08F};
  constexpr std::array<Vec3, 3> kAutumn{
      {{0.55F, 0.36F, 0.05F}, {0.45F, 0.17F, 0.04F}, {0.30F, 0.06F, 0.04F}}};
  if (lattice_uniform(1, 0, m.seed) < 0.25F) return m.base;
  const float early = lattice_uniform(2, 0, m.seed);
  const Vec3 turned = mix(m.base, kAutumn[m.seed % kAutumn.size()],
                          std::clamp(1.6F * season.autumn - 0.6F * early, 0.0F, 1.0F));
  return mix(turned, kBare, 0.85F * season.winter);
}

CROSSFIX_RAY_CODE SurfaceSample leaves(const Material& m, const Season& season, Vec3 point,
                                       Vec3 normal) {
  const float u = point.x + 0.7F * point.z;
  const float v = point.y - 0.6F * point.z;
  const float fine = value_noise(u * 3.1F, v * 3.1F, m.seed);
  const float coarse = value_noise(u * 1.1F + 9.0F, v * 1.1F, m.seed + 1);
  const Vec3 bump{fine - 0.5F, coarse - 0.5F, value_noise(v * 2.3F, u * 2.3F, m.seed + 2) - 0.5F};
  return {leaf_colour(m, season) * (0.45F + 0.5F * fine + 0.45F * coarse),
          normalised(normal + bump * 1.3F), 0.0F};
}

CROSSFIX_RAY_CODE SurfaceSample car(const Solid& solid, const Material& m, Vec3 point,
                                    Vec3 normal) {
  SurfaceSample sample{m.base, normal, 0.12F};
  const Vec2 local = solid.to_local({point.x, point.y});
  const bool cabin = m.trim.x > 0.5F;
  if (cabin) {
    const bool roof_panel = normal.z > 0.5F && std::abs(local.x) < solid.half.x * 0.62F;
    const bool pillar = normal.z < 0.5F && point.z > solid.z1 - 0.1F;
    if (!roof_panel && !pillar) {
      sample.albedo = {0.02F, 0.025F, 0.03F};
      sample.gloss = 0.3F;
    }
    return sample;
  }
  if (normal.z < 0.5F) {
    const float wheel = std::abs(std::abs(local.x) - solid.half.x * 0.62F);
    if (wheel < 0.33F && point.z < 0.62F) sample.albedo = {0.015F, 0.015F, 0.015F};
    if (std::abs(local.x) > solid.half.x - 0.02F && within(point.z, 0.55F, 0.75F) &&
        std::abs(local.y) > solid.half.y * 0.55F) {
      sample.albedo = local.x > 0.0F ? Vec3{0.9F, 0.9F, 0.8F} : Vec3{0.6F, 0.02F, 0.02F};
    }
  }
  return sample;
}

}  // namespace materials

/// The ground at p (metres).
CROSSFIX_RAY_CODE SurfaceSample sample_ground(const SceneView& scene, const Season& season,
                                              Vec2 p) {
  constexpr Vec3 kUp{0.0F, 0.0F, 1.0F};
  bool on_road = false;
  float kerb = 1e9F;  // distance past the edge of the nearest carriageway, in pavement widths
  bool on_pavement = false;
  Vec3 paint;
  for (const std::uint32_t i : scene.street_cells.at(p)) {
    const Street& street = scene.streets[i];
    const Vec2 r = p - street.start;
    const float s = dot(r, street.direction);
    const Vec2 off = r - street.direction * std::clamp(s, 0.0F, street.length);
    const float square = dot(off, off);
    const float reach = street.half_width + street.pavement;
    if (square > reach * reach) continue;
    if (square < street.half_width * street.half_width) {
      on_road = true;
      if (materials::within(s, 0.0F, street.length) &&
          materials::is_painted(scene.markings, street, s, cross(street.direction, r), paint)) {
        const float wear = value_noise(p.x * 1.5F, p.y * 1.5F, street.seed);
        return {mix(scene.asphalt, paint, 0.65F + 0.35F * wear), kUp, 0.0F};
      }
      continue;
    }
    on_pavement = true;
    kerb = std::min(kerb, std::sqrt(square) - street.half_width);
  }
  if (on_road) {
    return {materials::asphalt(scene.asphalt, p, scene.seed), kUp, 0.0F};
  }
  if (on_pavement) {
    if (kerb < 0.22F) return {scene.pavement * 1.15F, kUp, 0.0F};
    return {materials::slabs(scene.pavement * 0.9F, p, 1.2F, scene.seed), kUp, 0.0F};
  }
  return {materials::land(scene, season, p), kUp, 0.0F};
}

/// The surface of a solid at `point`, with the geometric normal `normal`.
CROSSFIX_RAY_CODE SurfaceSample sample_solid(const SceneView& scene, const Season& season,
                                             const Solid& solid, Vec3 point, Vec3 normal) {
  const Material& m = scene.materials[solid.material];
  switch (m.surface) {
    case Surface::kFacade:
      return materials::facade(solid, m, point, normal);
    case Surface::kFoliage:
    case Surface::kHedge:
      return materials::leaves(m, season, point, normal);
    case Surface::kCar:
      return materials::car(solid, m, point, normal);
    case Surface::kPlain:
      break;
  }
  return {m.base, normal, 0.0F};
}

}  // namespace crossfix::world
