#include "world/render/rays.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <optional>

#include "world/plan/random.hpp"

namespace crossfix::world {

namespace {

/// Whether a point lies in a solid, from the shapes' definition in scene.hpp.
bool holds(const Solid& solid, Vec3 p) {
  const Vec2 l = solid.to_local({p.x, p.y});
  if (p.z < solid.z0 || p.z > solid.z1) return false;
  if (solid.shape == Shape::kCylinder) return dot(l, l) <= solid.half.x * solid.half.x;
  if (solid.shape == Shape::kEllipsoid) {
    const float z = (2.0F * p.z - solid.z0 - solid.z1) / (solid.z1 - solid.z0);
    return dot(l, l) / (solid.half.x * solid.half.x) + z * z <= 1.0F;
  }
  if (std::abs(l.x) > solid.half.x || std::abs(l.y) > solid.half.y) return false;
  const float sides = solid.z1 - solid.roof_slope * std::abs(l.y);
  const float ends = solid.z1 - solid.roof_slope * (std::abs(l.x) - (solid.half.x - solid.half.y));
  if (solid.roof != Roof::kFlat && p.z > sides) return false;
  return solid.roof != Roof::kHip || p.z <= ends;
}

Solid random_solid(Random& random) {
  Solid solid;
  const int kind = random.index(5);
  solid.shape = kind == 3 ? Shape::kEllipsoid : kind == 4 ? Shape::kCylinder : Shape::kPrism;
  solid.roof = kind == 1 ? Roof::kGable : kind == 2 ? Roof::kHip : Roof::kFlat;
  solid.centre = {random.uniform(-3.0F, 3.0F), random.uniform(-3.0F, 3.0F)};
  solid.half.x = random.uniform(1.0F, 4.0F);
  solid.half.y = random.uniform(0.5F, 1.0F) * solid.half.x;
  const float angle = random.uniform(0.0F, 6.28F);
  solid.cosine = std::cos(angle);
  solid.sine = std::sin(angle);
  solid.z0 = random.uniform(0.0F, 1.0F);
  solid.z1 = solid.z0 + random.uniform(2.0F, 5.0F);
  if (solid.roof != Roof::kFlat) solid.roof_slope = random.uniform(0.2F, 0.8F);
  return solid;
}

Vec3 random_direction(Random& random) {
  const Vec3 d{random.uniform(-1.0F, 1.0F), random.uniform(-1.0F, 1.0F),
               random.uniform(-1.0F, 1.0F)};
  return normalised(d + Vec3{0.01F, 0.0F, 0.0F});
}

}  // namespace

TEST_CASE("A ray meets a solid where marching along it first gets inside") {
  Random random(11);
  int hits = 0;
  for (int i = 0; i < 600; ++i) {
    const Solid solid = random_solid(random);
    const Vec3 d = random_direction(random);
    const Vec3 aim{random.uniform(-4.0F, 4.0F), random.uniform(-4.0F, 4.0F),
                   random.uniform(0.0F, 5.0F)};
    const Vec3 o = aim - d * 20.0F;
    Hit hit;
    const bool met = intersect(solid, o, d, hit);
    constexpr float kStep = 0.01F;
    float marched = -1.0F;
    for (float t = 0.0F; t < 40.0F && marched < 0.0F; t += kStep) {
      if (holds(solid, o + d * t)) marched = t;
    }
    CAPTURE(i, static_cast<int>(solid.shape), static_cast<int>(solid.roof), hit.t, marched);
    if (marched >= 0.0F) {
      ++hits;
      REQUIRE(met);
      // Marching is late by up to a step, and may miss a corner thinner than one.
      CHECK(hit.t <= marched + 0.001F);
      CHECK_FALSE(holds(solid, o + d * (hit.t - 0.003F)));
      CHECK(dot(hit.normal, d) <= 0.0F);
      CHECK(std::abs(dot(hit.normal, hit.normal) - 1.0F) <= 1e-4F);
    } else if (met) {  // grazing: the part that it met is thinner than a step
      CHECK_FALSE(holds(solid, o + d * (hit.t + 2.0F * kStep)));
    }
  }
  CHECK(hits > 150);
}

TEST_CASE("A ray keeps the nearer of two solids, in either order") {
  Solid near;
  near.half = {1.0F, 1.0F};
  Solid far = near;
  far.centre = {0.0F, 5.0F};
  const Vec3 o{0.0F, -10.0F, 0.5F};
  const Vec3 north{0.0F, 1.0F, 0.0F};
  for (const auto& order : {std::array{near, far}, std::array{far, near}}) {
    Hit hit;
    for (const Solid& solid : order) intersect(solid, o, north, hit);
    CHECK(std::abs(hit.t - 9.0F) <= 1e-5F);
    CHECK(hit.normal.y == -1.0F);
  }
}

TEST_CASE("A plane crosses a solid over the interval of its outline") {
  Random random(12);
  for (int i = 0; i < 200; ++i) {
    const Solid solid = random_solid(random);
    const Vec2 d = normalised(Vec2{random.uniform(-1.0F, 1.0F), random.uniform(0.01F, 1.0F)});
    const Vec2 o = Vec2{random.uniform(-4.0F, 4.0F), random.uniform(-4.0F, 4.0F)} - d * 15.0F;
    const auto in_outline = [&](float t) {
      const Vec2 l = solid.to_local(o + d * t);
      return solid.shape == Shape::kPrism
                 ? std::abs(l.x) <= solid.half.x && std::abs(l.y) <= solid.half.y
                 : dot(l, l) <= solid.half.x * solid.half.x;
    };
    float t_in = 0.0F;
    float t_out = 0.0F;
    const bool crossed = cross_plane(solid, o, d, 100.0F, t_in, t_out);
    CAPTURE(i);
    bool seen = false;
    for (float t = 0.0F; t < 40.0F; t += 0.02F) {
      if (!in_outline(t)) continue;
      seen = true;
      CHECK(t >= t_in - 0.001F);
      CHECK(t <= t_out + 0.001F);
    }
    if (seen) CHECK(crossed);
    if (crossed && t_out - t_in > 0.05F) CHECK(seen);
  }
}

TEST_CASE("Shadows found cell by cell are those of all solids") {
  Scene scene;
  Random random(13);
  for (int i = 0; i < 120; ++i) {
    Solid solid = random_solid(random);
    solid.centre = {random.uniform(-60.0F, 60.0F), random.uniform(-60.0F, 60.0F)};
    scene.solids.push_back(solid);
  }
  scene.index_solids(70.0F);
  int shaded = 0;
  std::optional<Shadows> indexed;
  Vec3 indexed_sun;
  for (int i = 0; i < 2000; ++i) {
    Vec3 sun = random_direction(random);
    sun = normalised(Vec3{sun.x, sun.y, std::abs(sun.z) + 0.15F});
    const Vec3 p{random.uniform(-60.0F, 60.0F), random.uniform(-60.0F, 60.0F), 0.01F};
    bool blocked = false;
    for (const Solid& solid : scene.solids) {
      Hit hit;
      blocked = blocked || intersect(solid, p, sun, hit);
    }
    CHECK(walked_shadows(scene.view(), sun, 0).cover(p) == blocked);
    if (i % 20 == 0) indexed.emplace(scene, sun);
    if (i % 20 == 0) indexed_sun = sun;
    blocked = false;
    for (const Solid& solid : scene.solids) {
      Hit hit;
      blocked = blocked || intersect(solid, p, indexed_sun, hit);
    }
    CHECK(indexed->cover(p) == blocked);
    shaded += blocked ? 1 : 0;
  }
  CHECK(shaded > 200);
  CHECK(shaded < 1800);
}

}  // namespace crossfix::world
