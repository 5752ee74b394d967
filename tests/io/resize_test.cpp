#include "crossfix/cpu/resize.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "crossfix/core/error.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using Image = Tensor<std::uint8_t, 3>;
using View = TensorView<const std::uint8_t, 3>;

namespace {

/// The image of make_resize_golden.py.
Image made_image(Index height, Index width) {
  Image image({height, width, 3});
  for (Index i = 0; i < image.size(); ++i) {
    std::uint64_t z = static_cast<std::uint64_t>(i + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    image.data()[i] = static_cast<std::uint8_t>(z >> 56);
  }
  return image;
}

std::string fnv1a(View view) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (Index i = 0; i < view.size(); ++i) value = (value ^ view.data()[i]) * 0x100000001B3U;
  std::ostringstream text;
  text << std::hex;
  text.width(16);
  text.fill('0');
  text << value;
  return text.str();
}

int largest_difference(View view, const std::string& hex) {
  REQUIRE(hex.size() == static_cast<std::size_t>(2 * view.size()));
  int largest = 0;
  for (Index i = 0; i < view.size(); ++i) {
    const int expected = std::stoi(hex.substr(static_cast<std::size_t>(2 * i), 2), nullptr, 16);
    largest = std::max(largest, std::abs(view.data()[i] - expected));
  }
  return largest;
}

}  // namespace

TEST_CASE("resizing gives Pillow's bytes") {
  std::ifstream golden(test::source_folder() / "tests/io/golden/resize.txt");
  Shape<2> source{};
  Shape<2> target{};
  std::string expected;
  int lines = 0;
  while (golden >> source[0] >> source[1] >> target[0] >> target[1] >> expected) {
    ++lines;
    CAPTURE(to_string(source), to_string(target));
    const Image image = made_image(source[0], source[1]);
    cpu::Resizer resizer(source, target);
    const View result = resizer(image, 2);
    REQUIRE(result.shape() == Shape<3>{target[0], target[1], 3});
    if (expected.size() == 16) {
      CHECK(fnv1a(result) == expected);
    } else {
      const bool pillow_may_take_columns_first = target[0] < source[0] && target[1] > source[1];
      CHECK(largest_difference(result, expected) <= (pillow_may_take_columns_first ? 1 : 0));
    }
  }
  CHECK(lines == 17);
}

TEST_CASE("a plain image stays plain, white included") {
  for (int value : {0, 1, 254, 255}) {
    Image image({301, 203, 3});
    std::fill_n(image.data(), image.size(), static_cast<std::uint8_t>(value));
    cpu::Resizer resizer({301, 203}, {7, 500});
    const View result = resizer(image);
    CHECK(std::all_of(result.data(), result.data() + result.size(),
                      [value](std::uint8_t v) { return v == value; }));
  }
}

TEST_CASE("part of an image resizes as a copy of it") {
  const Image image = made_image(60, 50);
  const View part = image.view().slice(0, 10, 50).slice(1, 5, 45);
  Image copy({40, 40, 3});
  for (Index row = 0; row < 40; ++row) {
    for (Index col = 0; col < 40; ++col) {
      for (Index c = 0; c < 3; ++c) copy(row, col, c) = part(row, col, c);
    }
  }
  for (const Shape<2>& target : {Shape<2>{16, 24}, {40, 24}, {16, 40}}) {
    cpu::Resizer of_part({40, 40}, target);
    cpu::Resizer of_copy({40, 40}, target);
    CHECK(fnv1a(of_part(part)) == fnv1a(of_copy(copy)));
  }
}

TEST_CASE("an image of the target's size is given back, not copied") {
  const Image image = made_image(8, 9);
  cpu::Resizer resizer({8, 9}, {8, 9});
  CHECK(resizer(image).data() == image.data());
}

TEST_CASE("weights of an axis sum to one and stay inside") {
  for (const auto& [inputs, outputs] :
       {std::pair<Index, Index>{640, 256}, {256, 640}, {1, 7}, {7, 1}, {1000, 3}, {5, 5}}) {
    const ops::ResampleTable table = ops::resample_table(inputs, outputs);
    for (Index i = 0; i < outputs; ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(table.first[at] >= 0);
      CHECK(table.count[at] >= 1);
      CHECK(table.count[at] <= table.taps);
      CHECK(table.first[at] + table.count[at] <= inputs);
      std::int64_t sum = 0;
      for (Index t = 0; t < table.taps; ++t) {
        const std::int32_t weight = table.weights[static_cast<std::size_t>(i * table.taps + t)];
        CHECK(weight >= 0);
        CHECK((weight == 0 || t < table.count[at]));
        sum += weight;
      }
      // Each weight is rounded to the nearest integer.
      CHECK(std::abs(sum - (1 << ops::kResampleBits)) <= (table.taps + 1) / 2);
    }
  }
}

TEST_CASE("images of another shape, and empty sizes, are refused") {
  CHECK_THROWS_AS(cpu::Resizer({0, 4}, {4, 4}), ShapeError);
  CHECK_THROWS_AS(cpu::Resizer({4, 4}, {4, 0}), ShapeError);
  cpu::Resizer resizer({4, 4}, {2, 2});
  CHECK_THROWS_AS(resizer(Image({4, 5, 3})), ShapeError);
  const Image image({4, 8, 3});
  const View gaps(image.data(), {4, 4, 3}, {24, 6, 1});
  CHECK_THROWS_AS(resizer(gaps), ShapeError);
}

TEST_CASE("resizers of sizes met lately are kept") {
  cpu::ResizerCache cache;
  const cpu::Resizer& first = cache.get({8, 8}, {4, 4});
  const Image image = made_image(8, 8);
  const std::uint8_t* memory = cache.get({8, 8}, {4, 4})(image).data();
  CHECK(first.source() == Shape<2>{8, 8});
  for (Index side = 9; side < 12; ++side) cache.get({side, 8}, {4, 4});
  CHECK(cache.get({8, 8}, {4, 4})(image).data() == memory);
  for (Index side = 9; side < 13; ++side) {
    CHECK(cache.get({side, 8}, {4, 4}).source() == Shape<2>{side, 8});
  }
}
