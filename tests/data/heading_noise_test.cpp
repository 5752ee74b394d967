#include "data/heading_noise.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "crossfix/core/error.hpp"
#include "data/choice.hpp"
#include "fixtures.hpp"

using namespace crossfix;
using data::HeadingNoise;

TEST_CASE("the draws are those of the Python protocol, of every name, seed and width") {
  std::ifstream file(test::data_tests() / "golden/heading_noise.txt");
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    CAPTURE(line);
    std::istringstream fields(line);
    HeadingNoise noise;
    Index width = 0;
    Index columns = 0;
    std::string ground;
    REQUIRE((fields >> noise.degrees >> noise.seed >> width >> columns));
    std::getline(fields >> std::ws, ground);
    CHECK(data::heading_columns(noise, ground, width) == columns);
    CHECK(data::heading_of(noise, ground, width) ==
          Approx(static_cast<double>(columns) * 360 / static_cast<double>(width)));
  }
  CHECK(lines == 5 * 21);  // of 20 panoramas, and of a name beyond ASCII
}

TEST_CASE("draws are even within the degrees, and none without noise") {
  constexpr int kDraws = 4000;
  for (const double degrees : {45.0, 180.0}) {
    const HeadingNoise noise{degrees, 1};
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double share =
          data::heading_of(noise, "City/panorama/" + std::to_string(i), 4096) / degrees;
      CHECK(std::abs(share) <= 1 + 180.0 / 4096 / degrees);  // half a column
      sum += share;
      squares += share * share;
    }
    // Four standard deviations of the mean of as many even numbers, and of their squares.
    CHECK(std::abs(sum / kDraws) <= 4 * std::sqrt(1.0 / 3 / kDraws));
    CHECK(std::abs(squares / kDraws - 1.0 / 3) <= 4 * std::sqrt(4.0 / 45 / kDraws));
  }
  CHECK(data::heading_columns({0, 1}, "City/panorama/1", 4096) == 0);
}

TEST_CASE("a rolled panorama's centre looks at its heading, and nothing is lost") {
  io::Image panorama({2, 8, 3});
  for (Index i = 0; i < panorama.size(); ++i) panorama.data()[i] = static_cast<std::uint8_t>(i);
  const io::Image north = panorama.clone();
  for (const Index columns : {3, -3, 4, -4, 0, 8, -11}) {
    CAPTURE(columns);
    io::Image rolled = north.clone();
    data::roll(rolled, columns);
    for (Index col = 0; col < 8; ++col) {
      const Index from = ((col + columns) % 8 + 8) % 8;  // east is right of the centre
      CHECK(rolled(1, col, 2) == north(1, from, 2));
    }
  }
}

TEST_CASE(
    "a choice refuses noise that is none, and settings and words have it where there is some") {
  data::DatasetChoice choice;
  choice.root = test::vigor_fixture();
  CHECK_FALSE(choice.settings().contains("heading_noise"));
  CHECK_FALSE(choice.settings().contains("heading_seed"));
  for (const double degrees : {-1.0, 180.1, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity()}) {
    choice.heading_noise.degrees = degrees;
    CHECK_THROWS_WITH(choice.read(), Catch::Contains("0 to 180 degrees"));
  }
  choice.heading_noise = {22.5, 3};
  CHECK(choice.read().samples.size() == 20);
  CHECK(choice.settings().at("heading_noise") == 22.5);
  CHECK(choice.settings().at("heading_seed") == 3);
  CHECK(choice.description().find("within 22.5 degrees of north") != std::string::npos);
  choice.kind = data::DatasetKind::robotcar;
  choice.root = test::robotcar_fixture();
  CHECK_THROWS_WITH(choice.read(), Catch::Contains("are pinhole images"));
}
