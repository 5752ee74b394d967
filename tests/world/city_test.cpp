#include "world/plan/city.hpp"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

#include "world/plan/random.hpp"

namespace crossfix::world {

namespace {

bool is_building(const Scene& scene, const Solid& solid) {
  return scene.materials[solid.material].surface == Surface::kFacade;
}

}  // namespace

TEST_CASE("A city has what a city has, whatever its style") {
  const int style = GENERATE(range(0, kOrdinaryStyles + kReservedStyles));
  const Scene scene = build_city(77, city_style(style), 300.0F);
  int buildings = 0;
  int trees = 0;
  int cars = 0;
  int pitched = 0;
  for (const Solid& solid : scene.solids) {
    const Surface surface = scene.materials[solid.material].surface;
    buildings += surface == Surface::kFacade ? 1 : 0;
    trees += surface == Surface::kFoliage ? 1 : 0;
    cars += surface == Surface::kCar ? 1 : 0;
    pitched += solid.roof != Roof::kFlat ? 1 : 0;
  }
  CAPTURE(style, buildings, trees, cars, pitched);
  CHECK(scene.streets.size() > 30);
  CHECK(buildings > 80);
  CHECK(pitched > 5);
  CHECK(pitched < buildings);
  CHECK(trees > 150);
  CHECK(cars > 60);
}

TEST_CASE("Buildings leave streets and one another free") {
  const Scene scene = build_city(78, city_style(1), 300.0F);
  Random random(2);
  for (std::size_t i = 0; i < scene.solids.size(); ++i) {
    const Solid& solid = scene.solids[i];
    if (!is_building(scene, solid)) continue;
    for (int k = 0; k < 20; ++k) {
      const Vec2 p = solid.to_world(
          {random.uniform(-1.0F, 1.0F) * solid.half.x, random.uniform(-1.0F, 1.0F) * solid.half.y});
      for (const Street& street : scene.streets) {
        const Vec2 r = p - street.start;
        const float s = std::clamp(dot(r, street.direction), 0.0F, street.length);
        REQUIRE(length(r - street.direction * s) > street.half_width);
      }
      for (const std::uint32_t j : scene.solid_cells.at(p)) {
        const Solid& other = scene.solids[j];
        if (j == i || !is_building(scene, other)) continue;
        const Vec2 l = other.to_local(p);
        REQUIRE((std::abs(l.x) > other.half.x || std::abs(l.y) > other.half.y));
      }
    }
  }
}

TEST_CASE("The index of solids misses none") {
  const Scene scene = build_city(79, city_style(3), 200.0F);
  Random random(3);
  for (int k = 0; k < 4000; ++k) {
    const Vec2 p{random.uniform(-200.0F, 200.0F), random.uniform(-200.0F, 200.0F)};
    const auto found = scene.solid_cells.at(p);
    for (std::uint32_t i = 0; i < scene.solids.size(); ++i) {
      const Solid& solid = scene.solids[i];
      const Vec2 l = solid.to_local(p);
      const bool over = solid.shape == Shape::kPrism
                            ? std::abs(l.x) <= solid.half.x && std::abs(l.y) <= solid.half.y
                            : dot(l, l) <= solid.half.x * solid.half.x;
      if (over) REQUIRE(std::find(found.begin(), found.end(), i) != found.end());
    }
  }
}

TEST_CASE("A city drawn from a family keeps to it") {
  const CityStyle& family = city_style(0);
  for (int i = 0; i < 20; ++i) {
    const CityStyle city = draw_style(family, Random(static_cast<std::uint64_t>(i)));
    CHECK(std::string(city.name) == family.name);
    CHECK(std::abs(city.block_min / family.block_min - 1.0F) <= 0.2001F);
    CHECK(city.block_max >= city.block_min);
    CHECK(std::popcount(city.facades) == 7);
  }
  CHECK(draw_style(family, Random(1)).facades != draw_style(family, Random(2)).facades);
}

TEST_CASE("Row houses are alike, and other houses are not") {
  CityStyle style = city_style(0);
  const auto materials = [&](float rows) {  // of buildings: how many, and how many different
    style.rows = rows;
    const Scene scene = build_city(82, style, 250.0F);
    std::set<std::uint32_t> kinds;
    int buildings = 0;
    for (const Solid& solid : scene.solids) {
      if (!is_building(scene, solid)) continue;
      ++buildings;
      kinds.insert(scene.materials[solid.material].seed);
    }
    return std::pair(buildings, static_cast<int>(kinds.size()));
  };
  const auto [alike, kinds] = materials(1.0F);
  CHECK(3 * kinds < 2 * alike);
  const auto [others, other_kinds] = materials(0.0F);
  CHECK(other_kinds == others);
}

TEST_CASE("Streets that bend are longer than straight ones, and meet at the same junctions") {
  CityStyle style = city_style(1);
  style.diagonals = 0.0F;
  const auto lay = [&](float curve) {
    style.curve = curve;
    return build_city(83, style, 250.0F);
  };
  const Scene straight = lay(0.0F);
  const Scene bent = lay(8.0F);
  CHECK(bent.streets.size() > 2 * straight.streets.size());
  for (std::size_t i = 0; i + 1 < bent.streets.size(); ++i) {
    const Street& street = bent.streets[i];
    if (street.seed != bent.streets[i + 1].seed) continue;
    CHECK(length(street.start + street.direction * street.length - bent.streets[i + 1].start) <
          1e-3F);
  }
}

TEST_CASE("A key gives one city, another key another") {
  const Scene a = build_city(80, city_style(0), 200.0F);
  const Scene b = build_city(80, city_style(0), 200.0F);
  const Scene other = build_city(81, city_style(0), 200.0F);
  REQUIRE(a.solids.size() == b.solids.size());
  for (std::size_t i = 0; i < a.solids.size(); ++i) {
    REQUIRE(a.solids[i].centre.x == b.solids[i].centre.x);
    REQUIRE(a.solids[i].z1 == b.solids[i].z1);
  }
  CHECK(a.solids.size() != other.solids.size());
}

}  // namespace crossfix::world
