#include "world/render/raster.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "world/plan/city.hpp"
#include "world/render/renderer.hpp"

namespace crossfix::world {

TEST_CASE("A raster stores display values of linear colours, clamped") {
  Raster image = Raster::blank(1, 2);
  image.set(0, 1, {0.25F, 2.0F, -1.0F});
  CHECK(image.rgb == std::vector<std::uint8_t>{0, 0, 0, 128, 255, 0});
}

TEST_CASE("Contrast is found on both sides of an edge, across corners and round the seam") {
  Raster image = Raster::blank(5, 6);
  image.set(2, 5, {1.0F, 1.0F, 1.0F});
  const auto flags = [&](bool wraps) {
    std::vector<std::pair<int, int>> found;
    const std::vector<bool> contrast = find_contrast(image, wraps);
    for (int i = 0; i < 30; ++i) {
      if (contrast[static_cast<std::size_t>(i)]) found.emplace_back(i / 6, i % 6);
    }
    return found;
  };
  using Pixels = std::vector<std::pair<int, int>>;
  CHECK(flags(false) == Pixels{{1, 4}, {1, 5}, {2, 4}, {2, 5}, {3, 4}, {3, 5}});
  CHECK(flags(true) ==
        Pixels{{1, 0}, {1, 4}, {1, 5}, {2, 0}, {2, 4}, {2, 5}, {3, 0}, {3, 4}, {3, 5}});
  CHECK(find_contrast(Raster::blank(1, 1), true) == std::vector<bool>{false});
}

TEST_CASE("A city's tile is the same picture in a fine raster and in a coarse one") {
  // The fine one sends more rays only if neighbours differ, the coarse one everywhere.
  const Scene scene = build_city(4, city_style(1), 150.0F);
  const Light light = random_aerial_light(5);
  const Raster fine = TileRenderer(scene, light).render({10.0F, 5.0F}, 24.0F, 200, 2);
  const Raster coarse = TileRenderer(scene, light).render({10.0F, 5.0F}, 24.0F, 100, 4);
  double sum = 0.0;
  int far = 0;
  for (int row = 0; row < 100; ++row) {
    for (int column = 0; column < 100; ++column) {
      double linear = 0.0;  // green, display gamma 2
      for (const int i : {0, 1}) {
        for (const int j : {0, 1}) {
          const auto at = static_cast<std::size_t>(((2 * row + i) * 200 + 2 * column + j) * 3 + 1);
          linear += std::pow(fine.rgb[at] / 255.0, 2) / 4.0;
        }
      }
      const auto at = static_cast<std::size_t>((row * 100 + column) * 3 + 1);
      const double difference = std::abs(255.0 * std::sqrt(linear) - coarse.rgb[at]);
      sum += difference;
      far += difference > 16.0 ? 1 : 0;
    }
  }
  // Pixels that are not resolved further have at most the contrast that is not noticed, 8 levels.
  CHECK(sum / 10000.0 <= 2.0);
  CHECK(far <= 50);
}

}  // namespace crossfix::world
