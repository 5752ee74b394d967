#include "plan.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "city.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/io/georeference.hpp"
#include "random.hpp"
#include "reserved_seeds.hpp"
#include "world/render/renderer.hpp"

namespace crossfix::world {

namespace {

constexpr float kSlot = 10.0F;           // metres of street for each panorama
constexpr float kSurroundings = 150.0F;  // metres of city beyond the last panorama
constexpr int kLargestSide = 60;
constexpr int kTestShare = 16;  // one panorama in this many is held out, as of the positions

std::string city_name(Random random, int index) {
  constexpr std::array<const char*, 16> kFirst{
      "Alder", "Birch",   "Carmen", "Dover",  "Elm",  "Fern",  "Glen", "Haven",
      "Iron",  "Juniper", "Kings",  "Linden", "Mill", "North", "Oak",  "Port"};
  constexpr std::array<const char*, 12> kLast{"bridge", "brook", "bury",  "dale",  "field", "ford",
                                              "gate",   "ham",   "mouth", "stead", "ton",   "wick"};
  std::string name = kFirst[static_cast<std::size_t>(random.index(kFirst.size()))];
  name += kLast[static_cast<std::size_t>(random.index(kLast.size()))];
  return name + (index < 10 ? "0" : "") + std::to_string(index);
}

/// Whether a camera at p keeps half a metre from everything it could be inside.
bool clear_of_solids(const Scene& scene, Vec2 p, std::uint32_t date) {
  constexpr float kMargin = 0.5F;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      const Vec2 at = p + Vec2{static_cast<float>(dx) * kMargin, static_cast<float>(dy) * kMargin};
      for (const std::uint32_t i : scene.solid_cells.at(at)) {
        const Solid& solid = scene.solids[i];
        if (solid.z0 > kCameraHeight || !solid.is_there(date)) continue;
        const Vec2 local = solid.to_local(p);
        const float half_y = solid.shape == Shape::kPrism ? solid.half.y : solid.half.x;
        if (std::abs(local.x) < solid.half.x + kMargin && std::abs(local.y) < half_y + kMargin) {
          return false;
        }
      }
    }
  }
  return true;
}

/// Every position that a panorama may have: one for each 10 m of street.
std::vector<PlannedPanorama> find_candidates(const CityPlan& plan, Random random) {
  std::vector<PlannedPanorama> candidates;
  std::uint64_t number = 0;
  for (const Street& street : plan.scene.streets) {
    const int slots = floor_int(street.length / kSlot);
    for (int k = 0; k < slots; ++k) {
      Random here = random.child(++number);
      const float s = (static_cast<float>(k) + here.uniform(0.2F, 0.8F)) * kSlot;
      const float side = here.chance(0.5F) ? 1.0F : -1.0F;
      const float drive = street.half_width - (street.parking ? 2.8F : 0.6F);
      const bool walking = here.chance(0.15F);
      const float d = walking ? street.half_width + street.pavement * here.uniform(0.4F, 0.8F)
                              : drive * here.uniform();
      const Vec2 p = street.start + street.direction * s + left_of(street.direction) * (side * d);
      PlannedPanorama candidate;
      candidate.x = static_cast<double>(p.x) / plan.metres_per_pixel;
      candidate.y = -static_cast<double>(p.y) / plan.metres_per_pixel;
      candidate.split = plan.division.split(candidate.x, candidate.y);
      candidate.key = here.bits();
      if (candidate.split == Split::kNone ||
          !clear_of_solids(plan.scene, p, date_of(candidate.key))) {
        continue;
      }
      candidate.tiles = tiles_around(candidate.x, candidate.y);
      candidates.push_back(candidate);
    }
  }
  return candidates;
}

/// An upper bound on the panoramas of a city of that half side (metres).
double most_panoramas(float half_side, const CityStyle& style) {
  constexpr double kBends = 1.5;  // streets bend, and some cross the lattice
  const double side = 2.0 * static_cast<double>(half_side);
  const double streets = 2.0 * (side / static_cast<double>(style.block_min) + 1.0);
  return streets * side * kBends / static_cast<double>(kSlot);
}

}  // namespace

Split Division::split(double x, double y) const {
  const double half = half_pixels();
  if (!(std::abs(x) < half && std::abs(y) < half)) return Split::kNone;
  constexpr double kBlock = kBlockTiles * kTilePixels;
  // Signed distance to the nearest held-out interval of an axis: positive inside.
  const auto depth = [&](double along, int held) {
    double nearest = -half * 4.0;
    for (int b = held; b < side; b += 3) {
      const double low = b * kBlock - half;
      nearest = std::max(nearest, std::min(along - low, low + kBlock - along));
    }
    return nearest;
  };
  const double in = std::min(depth(x, held_x), depth(y, held_y));
  if (in <= -kTilePixels) return Split::kTrain;
  return in > kTileSpacing ? Split::kTest : Split::kNone;
}

std::array<TileIndex, 4> tiles_around(double x, double y) {
  const int x0 = static_cast<int>(std::floor(x / kTileSpacing));
  const int y0 = static_cast<int>(std::floor(y / kTileSpacing));
  std::array<TileIndex, 4> tiles{{{x0, y0}, {x0 + 1, y0}, {x0, y0 + 1}, {x0 + 1, y0 + 1}}};
  const auto square = [&](const TileIndex& tile) {
    const double dx = x - tile.x * kTileSpacing;
    const double dy = y - tile.y * kTileSpacing;
    return dx * dx + dy * dy;
  };
  std::stable_sort(tiles.begin(), tiles.end(),
                   [&](const TileIndex& a, const TileIndex& b) { return square(a) < square(b); });
  return tiles;
}

CityPlan plan_city(std::uint64_t seed, int index, int count) {
  const Random random = Random(seed).child(static_cast<std::uint64_t>(index));
  CityPlan plan;
  plan.name = city_name(random.child(1), index);
  plan.key = random.child(2).bits();
  const bool reserved_style = has_reserved_style(seed);
  const int styles = reserved_style ? kReservedStyles : kOrdinaryStyles;
  const int number = static_cast<int>((seed + static_cast<std::uint64_t>(index)) %
                                      static_cast<std::uint64_t>(styles));
  const CityStyle style =
      draw_style(city_style(reserved_style ? kOrdinaryStyles + number : number), random.child(5));
  plan.style = style.name;
  Random origin = random.child(3);
  // 38 to 47.5 degrees: 0.1176 to 0.1009 m a pixel, tiles of 75 to 65 m.
  const double latitude = 38.0 + 9.5 * static_cast<double>(origin.uniform());
  const double longitude = -120.0 + 140.0 * static_cast<double>(origin.uniform());
  plan.metres_per_pixel = io::metres_per_pixel(latitude);
  const PixelPoint pixel = io::world_pixel({longitude, latitude});
  plan.centre = {std::round(pixel.row), std::round(pixel.col)};
  plan.division.held_x = origin.index(3);
  plan.division.held_y = origin.index(3);

  const int test_count = std::max(1, count / kTestShare);
  const int train_count = count - test_count;
  for (int side = 3; side <= kLargestSide; side = side + 1 + side / 6) {
    plan.division.side = side;
    const float half =
        static_cast<float>(plan.division.half_pixels() * plan.metres_per_pixel) + kSurroundings;
    if (most_panoramas(half, style) < static_cast<double>(count)) continue;
    plan.scene = build_city(plan.key, style, half);
    std::vector<PlannedPanorama> candidates = find_candidates(plan, random.child(4));
    std::sort(candidates.begin(), candidates.end(),
              [](const PlannedPanorama& a, const PlannedPanorama& b) { return a.key < b.key; });
    int test_left = test_count;
    int train_left = train_count;
    for (const PlannedPanorama& candidate : candidates) {
      int& left = candidate.split == Split::kTest ? test_left : train_left;
      if (left == 0) continue;
      --left;
      plan.panoramas.push_back(candidate);
    }
    if (test_left == 0 && train_left == 0) {
      std::set<TileIndex> tiles;
      for (const PlannedPanorama& p : plan.panoramas) tiles.insert(p.tiles.begin(), p.tiles.end());
      plan.tiles.assign(tiles.begin(), tiles.end());
      return plan;
    }
    plan.panoramas.clear();
  }
  throw DataError("a city cannot hold " + std::to_string(count) +
                  " panoramas: ask for fewer or for more cities");
}

}  // namespace crossfix::world
