#include "draw/overlay.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace crossfix;

namespace {

/// Mid-grey, square.
io::Image grey_tile(Index side) {
  io::Image image({side, side, 3});
  std::fill_n(image.data(), image.size(), std::uint8_t{128});
  return image;
}

/// A sharp posterior in the cell of `pixel`, on 4 x 4 cells of a tile of `side`.
Fix sharp_fix(Index side, PixelPoint pixel) {
  Fix fix;
  fix.pixel = pixel;
  fix.radius68_px = 60;
  fix.grid = 4;
  fix.window = {0, 0, static_cast<double>(side), static_cast<double>(side)};
  fix.probability.assign(16, 1e-6F);
  const double cell = static_cast<double>(side) / 4;
  fix.cell = static_cast<Index>(pixel.row / cell) * 4 + static_cast<Index>(pixel.col / cell);
  fix.probability[static_cast<std::size_t>(fix.cell)] = 1;
  return fix;
}

/// Sum over the channels of the differences between a pixel and mid-grey.
int change(const io::Image& image, Index row, Index col) {
  int sum = 0;
  for (Index c = 0; c < 3; ++c) sum += std::abs(image(row, col, c) - 128);
  return sum;
}

}  // namespace

TEST_CASE("the overlay draws heat, fix, radius and truth where they are") {
  const Index side = 640;
  const io::Image picture =
      draw::draw_overlay(grey_tile(side), sharp_fix(side, {240, 400}), PixelPoint{560, 80});
  REQUIRE(picture.shape() == Shape<3>{side, side, 3});
  CHECK(change(picture, 240, 400) > 150);  // the cross
  CHECK(change(picture, 300, 400) > 150);  // the circle, 60 px below
  CHECK(change(picture, 215, 380) > 150);  // the heat within the cell
  CHECK(change(picture, 560, 80) > 150);   // the truth
  CHECK(change(picture, 399, 240) > 150);  // half way on the line between
  CHECK(change(picture, 40, 40) < 10);     // a corner without probability
}

TEST_CASE("the overlay rings the other hypotheses, the larger the larger their share") {
  const Index side = 640;
  Fix fix = sharp_fix(side, {240, 400});
  // 15 strokes of 640 / 280 px, times the root of the share.
  fix.hypotheses = {
      {{100, 100}, {}, {}, 0.49}, {{244, 397}, {}, {}, 0.36}, {{560, 560}, {}, {}, 0.04}};
  const io::Image picture = draw::draw_overlay(grey_tile(side), fix, {});
  CHECK(change(picture, 100, 124) > 150);
  CHECK(change(picture, 76, 100) > 150);
  CHECK(change(picture, 100, 107) < 10);
  CHECK(change(picture, 560, 567) > 150);
  CHECK(change(picture, 560, 584) < 10);
  fix.hypotheses.clear();
  const io::Image plain = draw::draw_overlay(grey_tile(side), fix, {});
  for (const Index col : {377, 378, 416, 417}) {  // no ring about the one that is the fix's own
    CHECK(change(picture, 244, col) == change(plain, 244, col));
  }
}

TEST_CASE("a heading is an arrow, and a sector where it was searched for") {
  const Index side = 640;
  Fix fix = sharp_fix(side, {240, 400});
  const auto draw = [&] { return draw::draw_overlay(grey_tile(side), fix, {}); };
  const io::Image none = draw();
  fix.heading_degrees = 90;
  fix.heading_sigma_degrees = 0;
  const io::Image given = draw();
  CHECK(change(given, 240, 425) != change(none, 240, 425));
  CHECK(change(given, 230, 417) == change(none, 230, 417));
  fix.heading_sigma_degrees = 40;
  const io::Image searched = draw();
  CHECK(searched(230, 417, 2) != given(230, 417, 2));            // 30 degrees off, 20 px away
  CHECK(change(searched, 222, 410) == change(given, 222, 410));  // 60 degrees off
  CHECK(change(searched, 230, 382) == change(given, 230, 382));  // behind
  fix.heading_sigma_degrees = 1000;
  CHECK(draw()(230, 382, 2) != given(230, 382, 2));
}

TEST_CASE("the radius of a camera that is not here is red") {
  const Index side = 600;
  Fix fix = sharp_fix(side, {300, 300});
  fix.radius68_px = 200;
  const io::Image here = draw::draw_overlay(grey_tile(side), fix, {});
  fix.nowhere = 0.75;
  const io::Image elsewhere = draw::draw_overlay(grey_tile(side), fix, {});
  CHECK(here(300, 500, 2) > here(300, 500, 0));
  CHECK(elsewhere(300, 500, 0) > elsewhere(300, 500, 2));
}

TEST_CASE("a small tile is enlarged, a window limits the heat, points outside are cut off") {
  const Index side = 100;
  Fix fix = sharp_fix(side, {50, 50});
  fix.window = {25, 25, 50, 50};
  fix.probability.assign(16, 1.0F / 16);
  fix.radius68_px = 5;
  const io::Image picture = draw::draw_overlay(grey_tile(side), fix, PixelPoint{-40, 1e6});
  REQUIRE(picture.shape() == Shape<3>{600, 600, 3});
  CHECK(change(picture, 6 * 30, 6 * 30) > 100);  // within the window
  CHECK(change(picture, 6 * 20, 6 * 20) == 0);   // outside it
}

TEST_CASE("the ground image goes above the overlay at its width") {
  const io::Image tile = grey_tile(512);
  io::Image ground({100, 200, 3});
  std::fill_n(ground.data(), ground.size(), std::uint8_t{255});
  const io::Image both = draw::with_ground_below(ground, tile);
  REQUIRE(both.shape() == Shape<3>{256 + 512, 512, 3});
  CHECK(draw::overlay_size({512, 512}, Shape<2>{100, 200}) == Shape<2>{256 + 512, 512});
  CHECK(draw::overlay_size({100, 70}, Shape<2>{1, 1000}) == Shape<2>{600 + 1, 420});
  CHECK(draw::overlay_size({100, 70}) == Shape<2>{600, 420});
  CHECK(both(255, 511, 0) == 255);
  CHECK(both(256, 0, 0) == 128);
}
