#include "city.hpp"

#include <catch2/catch.hpp>

#include "random.hpp"

namespace crossfix::world {

namespace {

bool is_building(const Scene& scene, const Solid& solid) {
  return scene.materials[solid.material].surface == Surface::kFacade;
}

}  // namespace

TEST_CASE("A city has what a city has, whatever its style") {
  const int style = GENERATE(0, 1, 2, 3, 4, 5);
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
