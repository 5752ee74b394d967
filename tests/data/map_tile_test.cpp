#include "data/map_tile.hpp"

#include <sstream>

#include "fixtures.hpp"

using namespace crossfix;

TEST_CASE("tiles of a map are those that OpenCV cuts") {
  // Pixels (15 i, 15 j) by OpenCV 4.7 (make_robotcar_golden.py). One grey level is for what its
  // vector code rounds differently.
  const io::Image map = test::made_map(1500, 1400);
  std::ifstream file(test::data_tests() / "golden" / "robotcar_tile.txt");
  data::MapWindow window;
  double degrees = 0;
  std::string pixels;
  int cases = 0;
  while (file >> window.row >> window.col >> degrees >> pixels) {
    CAPTURE(window.row, window.col, degrees);
    const io::Image tile = data::cut_map_tile(map, window, degrees);
    REQUIRE(tile.shape() == Shape<3>{512, 512, 3});
    REQUIRE(pixels.size() == 2 * 35 * 35 * 3);
    int largest = 0;
    for (Index i = 0; i < 35 * 35 * 3; ++i) {
      const int expected =
          std::stoi(pixels.substr(static_cast<std::size_t>(2 * i), 2), nullptr, 16);
      const int ours = tile(15 * (i / 105), 15 * (i / 3 % 35), i % 3);
      largest = std::max(largest, std::abs(ours - expected));
    }
    CHECK(largest <= 1);
    ++cases;
  }
  CHECK(cases == 5);
}

TEST_CASE("a tile that is not turned is its part of the map") {
  io::Image map({1200, 1200, 3});
  for (Index row = 200; row < 1000; ++row) {
    for (Index col = 200; col < 1000; ++col) map(row, col, 1) = 77;
  }
  const io::Image tile = data::cut_map_tile(map, {0, 0}, 0);
  for (Index i = 0; i < tile.size(); ++i) REQUIRE(tile.data()[i] == (i % 3 == 1 ? 77 : 0));
}

TEST_CASE("turning is counter-clockwise") {
  // What lies to the right of the centre moves above it.
  const PixelPoint right = data::turned({600, 700}, {600, 600}, 90);
  CHECK(right.row == Approx(500));
  CHECK(right.col == Approx(600));
  io::Image map({1200, 1200, 3});
  for (Index row = 590; row < 611; ++row) {
    for (Index col = 790; col < 811; ++col) map(row, col, 0) = 255;
  }
  const io::Image tile = data::cut_map_tile(map, {0, 0}, 90);
  CHECK(tile((400 - 200) * 512 / 800, (600 - 200) * 512 / 800, 0) == 255);
}
