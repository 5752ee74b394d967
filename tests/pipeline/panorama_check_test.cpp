#include "pipeline/panorama_check.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

using namespace crossfix;

namespace {

/// Columns `begin` to `begin + width` of a panorama of 512 columns, all around, with noise.
io::Image part_of_panorama(Index begin, Index width) {
  io::Image image({64, width, 3});
  unsigned noise = 1;
  for (Index row = 0; row < 64; ++row) {
    for (Index col = 0; col < width; ++col) {
      const double turn = 2 * std::numbers::pi * static_cast<double>(begin + col) / 512;
      for (Index channel = 0; channel < 3; ++channel) {
        noise = noise * 1664525U + 1013904223U;
        const double level = 120 + 60 * std::sin(turn + static_cast<double>(channel)) +
                             20 * std::sin(9 * turn) + static_cast<double>(noise >> 29);
        image(row, col, channel) = static_cast<std::uint8_t>(level);
      }
    }
  }
  return image;
}

/// A whole one, darker towards the bottom.
io::Image shaded_panorama() {
  io::Image image = part_of_panorama(0, 512);
  for (Index i = 0; i < image.size(); ++i) {
    const Index row = i / (3 * 512);
    image.data()[i] = static_cast<std::uint8_t>(image.data()[i] * (64 - row) / 64);
  }
  return image;
}

}  // namespace

TEST_CASE("the edges of a whole panorama meet, wherever it begins") {
  for (Index begin : {0, 100, 300})
    CHECK_FALSE(pipeline::is_open_panorama(part_of_panorama(begin, 512)));
}

TEST_CASE("the edges of a part, and of a panorama beside a border, do not meet") {
  for (Index begin : {0, 100, 300}) {
    CAPTURE(begin);
    CHECK(pipeline::is_open_panorama(part_of_panorama(begin, 400)));
    io::Image border({64, 600, 3});
    const io::Image whole = part_of_panorama(begin, 512);
    for (Index i = 0; i < whole.size(); ++i) {
      border.data()[i / (3 * 512) * 3 * 600 + i % (3 * 512)] = whole.data()[i];
    }
    CHECK(pipeline::is_open_panorama(border));
  }
}

TEST_CASE("bars at the left and the right are a border, whatever their colour") {
  const io::Image whole = shaded_panorama();
  CHECK_FALSE(pipeline::has_border(whole));
  for (const int level : {0, 128, 255}) {
    for (const Index bar : {1, 40, 128}) {
      CAPTURE(level, bar);
      io::Image framed = shaded_panorama();
      for (Index row = 0; row < 58; ++row) {  // the corners of circles are open in the middle
        for (Index col = 0; col < bar; ++col) {
          for (Index channel = 0; channel < 3; ++channel) {
            framed(row, col, channel) = static_cast<std::uint8_t>(level);
            framed(row, 511 - col, channel) = static_cast<std::uint8_t>(level);
          }
        }
      }
      CHECK(pipeline::has_border(framed));
    }
  }
  io::Image sky = shaded_panorama();  // overexposed, above the horizon
  std::fill_n(sky.data(), sky.size() / 2, std::uint8_t{255});
  CHECK_FALSE(pipeline::has_border(sky));
  CHECK_FALSE(pipeline::has_border(io::Image({8, 16, 3})));
}

TEST_CASE("a picture of one colour, and one of a column, are not called open") {
  CHECK_FALSE(pipeline::is_open_panorama(io::Image({8, 16, 3})));
  CHECK_FALSE(pipeline::is_open_panorama(io::Image({8, 1, 3})));
}
