#include "world/plan/plan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <string>

#include "crossfix/core/error.hpp"
#include "world/plan/city.hpp"
#include "world/plan/random.hpp"
#include "world/plan/reserved_seeds.hpp"

namespace crossfix::world {

namespace {

/// A square in pixels from the city's centre.
struct Square {
  double low_x, low_y, side;
};

std::vector<Square> held_out_blocks(const Division& division) {
  std::vector<Square> blocks;
  const double side = kBlockTiles * kTilePixels;
  for (int y = division.held_y; y < division.side; y += 3) {
    for (int x = division.held_x; x < division.side; x += 3) {
      blocks.push_back(
          {x * side - division.half_pixels(), y * side - division.half_pixels(), side});
    }
  }
  return blocks;
}

Square square_of(const TileIndex& tile) {
  return {static_cast<double>(tile.x * kTileSpacing - kTilePixels / 2),
          static_cast<double>(tile.y * kTileSpacing - kTilePixels / 2),
          static_cast<double>(kTilePixels)};
}

bool overlap(const Square& a, const Square& b) {
  return a.low_x < b.low_x + b.side && b.low_x < a.low_x + a.side && a.low_y < b.low_y + b.side &&
         b.low_y < a.low_y + a.side;
}

bool within(const Square& inner, const Square& outer) {
  return inner.low_x >= outer.low_x && inner.low_y >= outer.low_y &&
         inner.low_x + inner.side <= outer.low_x + outer.side &&
         inner.low_y + inner.side <= outer.low_y + outer.side;
}

}  // namespace

TEST_CASE("Four tiles contain a point, the nearest first") {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const double x = static_cast<double>(random.uniform(-3000.0F, 3000.0F));
    const double y = static_cast<double>(random.uniform(-3000.0F, 3000.0F));
    const auto tiles = tiles_around(x, y);
    double last = 0.0;
    for (const TileIndex& tile : tiles) {
      const double dx = x - tile.x * kTileSpacing;
      const double dy = y - tile.y * kTileSpacing;
      REQUIRE(std::max(std::abs(dx), std::abs(dy)) < kTilePixels / 2.0 + 1e-9);
      REQUIRE(std::hypot(dx, dy) >= last - 1e-9);
      last = std::hypot(dx, dy);
    }
    // The positive has it in its central half.
    REQUIRE(std::abs(x - tiles[0].x * kTileSpacing) <= kTileSpacing / 2.0);
    REQUIRE(std::abs(y - tiles[0].y * kTileSpacing) <= kTileSpacing / 2.0);
    for (std::size_t a = 0; a < 4; ++a) {
      for (std::size_t b = a + 1; b < 4; ++b) REQUIRE(tiles[a] != tiles[b]);
    }
  }
}

TEST_CASE("Held-out panoramas' tiles lie in their block, training tiles touch none") {
  Division division;
  division.side = GENERATE(3, 4, 7);
  division.held_x = GENERATE(0, 1, 2);
  division.held_y = 1;
  const std::vector<Square> blocks = held_out_blocks(division);
  const double half = division.half_pixels();
  int count[3] = {0, 0, 0};
  for (double y = -half - 330.0; y < half + 330.0; y += 61.0) {
    for (double x = -half - 330.0; x < half + 330.0; x += 61.0) {
      const Split split = division.split(x, y);
      ++count[static_cast<int>(split)];
      const bool outside = !(std::abs(x) < half && std::abs(y) < half);
      if (outside) REQUIRE(split == Split::kNone);
      for (const TileIndex& tile : tiles_around(x, y)) {
        const Square square = square_of(tile);
        for (const Square& block : blocks) {
          if (split == Split::kTrain) REQUIRE_FALSE(overlap(square, block));
        }
        if (split == Split::kTest) {
          REQUIRE(std::any_of(blocks.begin(), blocks.end(),
                              [&](const Square& block) { return within(square, block); }));
        }
      }
      // The margin is exactly one tile.
      double nearest = 1e9;
      for (const Square& b : blocks) {
        const double dx = std::max({b.low_x - x, x - b.low_x - b.side, 0.0});
        const double dy = std::max({b.low_y - y, y - b.low_y - b.side, 0.0});
        nearest = std::min(nearest, std::max(dx, dy));
      }
      if (!outside) REQUIRE((split == Split::kTrain) == (nearest >= kTilePixels));
    }
  }
  for (const int c : count) CHECK(c > 0);
}

TEST_CASE("A planned city keeps training tiles clear of test tiles") {
  const CityPlan plan = plan_city(5, 0, 260);
  REQUIRE(plan.panoramas.size() == 260);
  std::vector<Square> train;
  std::vector<Square> test;
  std::size_t held_out = 0;
  for (const PlannedPanorama& p : plan.panoramas) {
    REQUIRE(p.split != Split::kNone);
    REQUIRE(p.split == plan.division.split(p.x, p.y));
    REQUIRE(p.tiles == tiles_around(p.x, p.y));
    held_out += p.split == Split::kTest ? 1U : 0U;
    for (const TileIndex& tile : p.tiles) {
      REQUIRE(std::binary_search(plan.tiles.begin(), plan.tiles.end(), tile));
      (p.split == Split::kTest ? test : train).push_back(square_of(tile));
    }
  }
  CHECK(held_out == 260 / 16);
  for (const Square& a : test) {
    for (const Square& b : train) REQUIRE_FALSE(overlap(a, b));
  }
  CHECK(plan.metres_per_pixel > 0.100);
  CHECK(plan.metres_per_pixel < 0.118);
}

TEST_CASE("Panoramas stand on streets, in the open, one for each ten metres") {
  const CityPlan plan = plan_city(6, 1, 900);
  double street = 0.0;
  for (const Street& s : plan.scene.streets) street += static_cast<double>(s.length);
  CHECK(900.0 <= street / 10.0);
  for (const PlannedPanorama& p : plan.panoramas) {
    const Vec2 eye{static_cast<float>(p.x * plan.metres_per_pixel),
                   static_cast<float>(-p.y * plan.metres_per_pixel)};
    bool on_street = false;
    for (const Street& s : plan.scene.streets) {
      const Vec2 r = eye - s.start;
      const float along = dot(r, s.direction);
      const float aside = std::abs(cross(s.direction, r));
      on_street =
          on_street || (along >= 0.0F && along <= s.length && aside < s.half_width + s.pavement);
    }
    REQUIRE(on_street);
    for (const Solid& solid : plan.scene.solids) {
      if (solid.z0 > kCameraHeight || solid.z1 < kCameraHeight) continue;
      const Vec2 l = solid.to_local(eye);
      const float half_y = solid.shape == Shape::kPrism ? solid.half.y : solid.half.x;
      REQUIRE((std::abs(l.x) > solid.half.x || std::abs(l.y) > half_y));
    }
  }
}

TEST_CASE("A seed's plan stays the same") {
  // Weights name the seed of the data that they were trained on, so a change here makes their cards
  // wrong.
  const CityPlan plan = plan_city(1, 0, 200);
  CHECK(plan.name == "Carmenton00");
  CHECK(plan.style == "town");
  CHECK(plan.scene.streets.size() == 1975);
  CHECK(plan.scene.solids.size() == 28815);
  CHECK(plan.tiles.size() == 429);
  CHECK(std::abs(plan.panoramas[0].x - 172.3112) <= 0.05);
  CHECK(std::abs(plan.panoramas[0].y + 1995.4716) <= 0.05);
}

TEST_CASE("Reserved styles belong to reserved seeds") {
  CHECK_FALSE(is_reserved(8999));
  CHECK(is_reserved(9000));
  CHECK(is_reserved(9999));
  CHECK_FALSE(is_reserved(10000));
  CHECK_FALSE(has_reserved_style(9499));
  CHECK(has_reserved_style(9500));
  CHECK_FALSE(has_reserved_style(10000));
  const std::string reserved = plan_city(9500, 0, 2).style;
  std::set<std::string> kept;
  for (int i = 0; i < kReservedStyles; ++i) {
    kept.insert(city_style(kOrdinaryStyles + i).name);
  }
  CHECK(kept.size() == kReservedStyles);
  CHECK(kept.contains(reserved));
  for (int i = 0; i < kOrdinaryStyles; ++i) {
    CHECK_FALSE(kept.contains(plan_city(9000, i, 2).style));
  }
}

TEST_CASE("A city that cannot hold its panoramas is refused") {
  CHECK_THROWS_AS(plan_city(1, 0, 100'000'000), DataError);
}

}  // namespace crossfix::world
