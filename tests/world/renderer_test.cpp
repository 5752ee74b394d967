#include "world/render/renderer.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

namespace crossfix::world {

namespace {

constexpr float kEye = 2.5F;

Light overcast() {
  Light light;
  light.sun = {0.0F, 0.0F, 0.0F};
  light.ambient = {1.0F, 1.0F, 1.0F};
  light.haze = 0.0F;
  return light;
}

/// A green plain.
Scene plain() {
  Scene scene;
  scene.country = {0.0F, 0.3F, 0.0F};
  return scene;
}

void add_pole(Scene& scene, Vec2 at, float height, Vec3 colour) {
  Material material;
  material.base = colour;
  scene.materials.push_back(material);
  Solid pole;
  pole.shape = Shape::kCylinder;
  pole.material = static_cast<std::uint32_t>(scene.materials.size() - 1);
  pole.centre = at;
  pole.half = {0.4F, 0.4F};
  pole.z1 = height;
  scene.solids.push_back(pole);
}

void finish(Scene& scene) {
  scene.index_ground(80.0F);
  scene.index_solids(80.0F);
}

/// Where red pixels lie: mean row and column (pixel centres at half), and the extent of rows.
struct Blob {
  double row = 0.0;
  double column = 0.0;
  int top = 0;
  int bottom = 0;  ///< one past the last row
  int count = 0;
};

Blob find_red(const Raster& image) {
  Blob blob;
  for (int r = 0; r < image.height; ++r) {
    for (int c = 0; c < image.width; ++c) {
      const auto at = static_cast<std::size_t>((r * image.width + c) * 3);
      if (image.rgb[at] < 128 || image.rgb[at + 1] > 100) continue;
      if (blob.count++ == 0) blob.top = r;
      blob.bottom = r + 1;
      blob.row += r + 0.5;
      blob.column += c + 0.5;
    }
  }
  blob.row /= blob.count;
  blob.column /= blob.count;
  return blob;
}

constexpr Vec3 kRed{0.9F, 0.0F, 0.0F};

}  // namespace

TEST_CASE("A pole stands where both views' geometry puts it") {
  // Degrees clockwise from north, metres.
  const auto [azimuth, distance] = GENERATE(
      std::array{0.0, 12.0}, std::array{37.0, 9.0}, std::array{90.0, 15.0}, std::array{170.0, 20.0},
      std::array{200.0, 6.0}, std::array{270.0, 25.0}, std::array{-45.0, 10.0});
  CAPTURE(azimuth, distance);
  const Vec2 eye{3.0F, -7.0F};
  const double angle = azimuth * std::numbers::pi / 180.0;
  const Vec2 pole = eye + Vec2{static_cast<float>(distance * std::sin(angle)),
                               static_cast<float>(distance * std::cos(angle))};
  Scene scene = plain();
  constexpr float kTop = 6.0F;
  add_pole(scene, pole, kTop, kRed);
  finish(scene);

  RenderScratch scratch;
  constexpr int kHeight = 256;
  constexpr int kWidth = 512;
  const Raster panorama =
      render_panorama(scene, overcast(), {eye.x, eye.y, kEye}, kHeight, kWidth, 2, scratch);
  const Blob seen = find_red(panorama);
  REQUIRE(seen.count > 20);
  double column = (angle / (2.0 * std::numbers::pi) + 0.5) * kWidth;
  if (column >= kWidth) column -= kWidth;
  // A tenth of a degree is 0.14 columns; the outline is cut at whole pixels.
  CHECK(std::abs(seen.column - column) <= 0.6);
  const double face = distance - 0.4;  // the pole's near side
  const auto row = [&](double z) {
    return (0.5 - std::atan2(z - kEye, face) / std::numbers::pi) * kHeight;
  };
  CHECK(std::abs(seen.top - row(kTop)) <= 1.0);
  CHECK(std::abs(seen.bottom - row(0.0)) <= 1.0);

  constexpr float kMetres = 72.0F;
  constexpr int kSize = 320;
  const Vec2 centre{-4.0F, 2.0F};
  const Blob above = find_red(TileRenderer(scene, overcast()).render(centre, kMetres, kSize, 2));
  REQUIRE(above.count > 5);
  constexpr double kScale = kSize / static_cast<double>(kMetres);
  CHECK(std::abs(above.column - (kSize / 2.0 + static_cast<double>(pole.x - centre.x) * kScale)) <=
        0.5);
  CHECK(std::abs(above.row - (kSize / 2.0 - static_cast<double>(pole.y - centre.y) * kScale)) <=
        0.5);
}

TEST_CASE("A pole due south is cut in two by the panorama's edge") {
  Scene scene = plain();
  add_pole(scene, {0.0F, -8.0F}, 6.0F, kRed);
  finish(scene);
  RenderScratch scratch;
  const Raster image = render_panorama(scene, overcast(), {0.0F, 0.0F, kEye}, 128, 256, 2, scratch);
  const auto red = [&](int row, int column) {
    const auto at = static_cast<std::size_t>((row * 256 + column) * 3);
    return image.rgb[at] > 128 && image.rgb[at + 1] < 50;
  };
  CHECK(red(68, 0));
  CHECK(red(68, 255));
  CHECK_FALSE(red(68, 128));
}

TEST_CASE("The horizon is the centre row, the ground's colour below it and none above") {
  Scene scene = plain();
  finish(scene);
  RenderScratch scratch;
  const Raster image = render_panorama(scene, overcast(), {0.0F, 0.0F, kEye}, 64, 128, 1, scratch);
  const auto blue = [&](int row) {
    return image.rgb[static_cast<std::size_t>((row * 128 + 40) * 3 + 2)];
  };
  CHECK(blue(30) > 50);
  CHECK(blue(34) == 0);
  CHECK(blue(63) == 0);
}

TEST_CASE("A nearer solid hides a farther one, and a tall one the ground from above") {
  Scene scene = plain();
  add_pole(scene, {0.0F, 10.0F}, 3.0F, kRed);
  add_pole(scene, {0.0F, 20.0F}, 3.0F, {0.0F, 0.0F, 0.9F});
  finish(scene);
  RenderScratch scratch;
  const Raster image = render_panorama(scene, overcast(), {0.0F, 0.0F, kEye}, 256, 512, 1, scratch);
  const auto at = static_cast<std::size_t>((128 * 512 + 256) * 3);
  CHECK(image.rgb[at] > 128);
  CHECK(image.rgb[at + 2] < 50);
}

TEST_CASE("A pole's shadow falls away from the sun") {
  Scene scene = plain();
  add_pole(scene, {0.0F, 0.0F}, 8.0F, kRed);
  finish(scene);
  Light light = overcast();
  light.sun = {1.0F, 1.0F, 1.0F};
  light.ambient = {0.2F, 0.2F, 0.2F};
  light.sun_direction =
      direction_of(0.5F * static_cast<float>(std::numbers::pi), 0.785F);  // due east, 45 deg
  const Raster image = TileRenderer(scene, light).render({0.0F, 0.0F}, 32.0F, 64, 1);
  const auto green = [&](int row, int column) {
    return static_cast<int>(image.rgb[static_cast<std::size_t>((row * 64 + column) * 3 + 1)]);
  };
  // Half a metre a pixel: the shadow reaches 8 m = 16 pixels to the west.
  CHECK(green(32, 20) < green(32, 44) - 40);
  CHECK(green(32, 12) > green(32, 20) + 40);
  CHECK(green(20, 20) > green(32, 20) + 40);
}

TEST_CASE("A leaning view moves a top by its height, and leaves the ground") {
  Scene scene = plain();
  const Vec2 at{4.0F, -6.0F};
  constexpr float kTop = 9.0F;
  add_pole(scene, at, kTop, kRed);
  scene.solids.back().z0 = kTop - 0.2F;  // only its top
  finish(scene);
  const TileRenderer renderer(scene, overcast());
  constexpr float kMetres = 40.0F;
  constexpr int kSize = 400;
  const Vec2 lean = GENERATE(Vec2{}, Vec2{0.12F, 0.0F}, Vec2{-0.05F, 0.08F}, Vec2{0.0F, -0.1F});
  const Blob seen = find_red(renderer.render({}, kMetres, kSize, 1, lean));
  REQUIRE(seen.count > 20);
  const Vec2 wanted = at + lean * kTop;
  CHECK(std::abs(seen.column - (200.0 + 10.0 * static_cast<double>(wanted.x))) <= 1.0);
  CHECK(std::abs(seen.row - (200.0 - 10.0 * static_cast<double>(wanted.y))) <= 1.0);

  scene.solids.back().z0 = 0.0F;
  scene.solids.back().z1 = 0.01F;
  scene.index_solids(80.0F);
  const Blob flat = find_red(TileRenderer(scene, overcast()).render({}, kMetres, kSize, 1, lean));
  CHECK(std::abs(flat.column - 240.0) <= 0.5);
  CHECK(std::abs(flat.row - 260.0) <= 0.5);
}

TEST_CASE("A visitor is there on its dates, whole, in both views") {
  Scene scene = plain();
  add_pole(scene, {0.0F, 6.0F}, 1.0F, kRed);
  add_pole(scene, {0.0F, 6.0F}, 2.0F, kRed);
  for (Solid& solid : scene.solids) {
    solid.visitor = 17;
    solid.presence = 0.3F;
  }
  finish(scene);
  RenderScratch scratch;
  int days = 0;
  for (std::uint32_t date = 0; date < 200; ++date) {
    const bool there = scene.solids[0].is_there(date);
    CHECK(scene.solids[1].is_there(date) == there);
    days += there ? 1 : 0;
    if (date >= 10) continue;
    Light light = overcast();
    light.date = date;
    const Raster above = TileRenderer(scene, light).render({}, 32.0F, 64, 1);
    const Raster ahead = render_panorama(scene, light, {0.0F, 0.0F, kEye}, 64, 128, 1, scratch);
    CHECK((find_red(above).count > 0) == there);
    CHECK((find_red(ahead).count > 0) == there);
  }
  CHECK(days > 40);  // 60 expected, deviation 6.5
  CHECK(days < 80);
}

TEST_CASE("The season turns leaves and grass, and nothing else") {
  const auto mean = [](const Season& season, Surface surface) {
    Scene scene = plain();
    Vec3 sum;
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
      Material material;
      material.surface = surface;
      material.base = {0.05F, 0.3F, 0.05F};
      material.seed = seed;
      scene.materials = {material};
      sum = sum + sample_solid(scene.view(), season, {}, {}, {0.0F, 0.0F, 1.0F}).albedo;
    }
    return sum * (1.0F / 40.0F);
  };
  const Season autumn{.autumn = 1.0F};
  const Vec3 summer_leaf = mean({}, Surface::kFoliage);
  const Vec3 autumn_leaf = mean(autumn, Surface::kFoliage);
  CHECK(autumn_leaf.x > summer_leaf.x + 0.05F);
  CHECK(mean({.winter = 1.0F}, Surface::kFoliage).y < 0.7F * summer_leaf.y);
  CHECK(mean(autumn, Surface::kPlain).x == mean({}, Surface::kPlain).x);
  const Scene scene = plain();
  const auto green = [&](const Season& season) {
    return sample_ground(scene.view(), season, {1.0F, 2.0F}).albedo.y;
  };
  CHECK(green({.winter = 1.0F}) < 0.9F * green({}));
}

TEST_CASE("A smaller raster shows the same scene") {
  Scene scene = plain();
  add_pole(scene, {6.0F, 3.0F}, 6.0F, kRed);
  finish(scene);
  const Blob fine = find_red(TileRenderer(scene, overcast()).render({0.0F, 0.0F}, 36.0F, 320, 2));
  const Blob coarse = find_red(TileRenderer(scene, overcast()).render({0.0F, 0.0F}, 36.0F, 160, 4));
  REQUIRE(coarse.count > 2);
  CHECK(std::abs(fine.row / 2.0 - coarse.row) <= 0.5);
  CHECK(std::abs(fine.column / 2.0 - coarse.column) <= 0.5);
}

}  // namespace crossfix::world
