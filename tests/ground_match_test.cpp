#include <catch2/catch.hpp>
#include <cmath>
#include <optional>
#include <vector>

#include "crossfix/camera/panorama.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/detail/model/heading_search.hpp"
#include "crossfix/localizer.hpp"
#include "crossfix/ops/heading.hpp"
#include "support/allocation_counter.hpp"
#include "support/counter_generator.hpp"
#include "support/flat_ground.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;

namespace {

constexpr double kScale = 0.2;  // metres a pixel of the tile

Localizer bundled(LocalizerOptions options = {}) {
  options.device = Device::cpu;
  return Localizer::load(test::source_folder() / "models/crossfix-ground.safetensors", options);
}

/// A panorama of flat ground that looks like the tile.
Tensor<std::uint8_t, 3> panorama_of(const Tensor<std::uint8_t, 3>& tile, PixelPoint camera,
                                    double heading) {
  return test::panorama_of(tile, kScale, camera, heading);
}

}  // namespace

TEST_CASE("the matcher finds where a panorama of flat ground was taken, at any heading") {
  const auto tile = test::image("ground/tile", 250, 250);  // 50 m
  Localizer localizer = bundled();
  for (const double heading : {0.0, 120.0, -77.0}) {
    for (const PixelPoint camera : {PixelPoint{125.5, 80.5}, {60.5, 190.5}}) {
      CAPTURE(heading, camera.row, camera.col);
      const auto panorama = panorama_of(tile, camera, heading);
      const Fix fix = localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                                       {.metres_per_pixel = kScale}, {.heading_degrees = heading});
      // Half a cell of 0.8 m each way.
      CHECK(std::hypot(fix.pixel.row - camera.row, fix.pixel.col - camera.col) * kScale <= 0.57);
      CHECK(fix.radius68_m.value() <= 1.0);
      CHECK(fix.grid == 63);
      // A cell lies about its first pixel's middle.
      CHECK(fix.window.row == Approx(-1.5));
      CHECK(fix.window.height == Approx(252));
      CHECK(std::abs(std::remainder(fix.heading_degrees.value() - heading, 360)) <= 1e-9);
      CHECK(fix.heading_sigma_degrees == 0.0);

      const Fix found =
          localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                           {.metres_per_pixel = kScale}, {.heading_degrees = std::nullopt});
      CHECK(std::hypot(found.pixel.row - camera.row, found.pixel.col - camera.col) * kScale <= 0.8);
      // Half a part of a step of 20 degrees, about the mean over the next ones.
      CHECK(std::abs(std::remainder(found.heading_degrees.value() - heading, 360)) <= 5);
      CHECK(found.heading_sigma_degrees.value() > 0);
      CHECK(found.heading_probability.size() == 54);
      CHECK(fix.heading_probability.empty());
    }
  }
}

TEST_CASE("the matcher's posterior is a softmax over its logits, and one pair's answer another's") {
  const auto tile = test::image("ground/tile", 200, 200);
  const auto panorama = panorama_of(tile, {90.5, 110.5}, 0);
  Localizer localizer = bundled();
  Localizer other = localizer.share();
  const Fix fix =
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale});
  double sum = 0;
  double mass = 0;
  const double temperature = localizer.configuration().decoding.temperature;
  const float best = fix.logits[static_cast<std::size_t>(fix.cell)];
  for (const float logit : fix.logits)
    sum += std::exp(static_cast<double>(logit - best) / temperature);
  for (const float p : fix.probability) mass += static_cast<double>(p);
  CHECK(std::abs(mass - 1) <= 1e-5);
  // Logits of size 1 are floats, off by 2^-24, over a temperature of 0.02.
  CHECK(std::abs(static_cast<double>(fix.probability[static_cast<std::size_t>(fix.cell)]) * sum -
                 1) <= 1e-5);
  // The same after a tile of another size, and on a localizer that shares the weights.
  localizer.locate(GroundImage(panorama), SatelliteImage(test::image("ground/other", 150, 150)),
                   {.metres_per_pixel = kScale});
  CHECK(localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale})
            .logits == fix.logits);
  CHECK(other.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale})
            .logits == fix.logits);
  CHECK(localizer.batch() == 1);
}

TEST_CASE("the matcher's marginals are those of its posterior over headings and positions") {
  const auto tile = test::image("ground/tile", 150, 150);
  const auto panorama = panorama_of(tile, {60.5, 90.5}, 50);
  Localizer localizer = bundled({.pose_probability = true});
  for (const std::optional<double> heading : {std::optional(50.0), std::optional<double>()}) {
    CAPTURE(heading.has_value());
    const Fix fix = localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                                     {.metres_per_pixel = kScale}, {heading});
    const std::size_t cells = fix.probability.size();
    const std::size_t headings = heading ? 1 : 54;
    REQUIRE(fix.pose_probability.size() == headings * cells);
    double worst = 0;
    double total = 0;
    for (std::size_t cell = 0; cell < cells; ++cell) {
      double sum = 0;
      for (std::size_t k = 0; k < headings; ++k) {
        sum += static_cast<double>(fix.pose_probability[k * cells + cell]);
      }
      worst = std::max(worst, std::abs(sum - static_cast<double>(fix.probability[cell])));
      total += sum;
    }
    CHECK(worst <= 1e-5);
    CHECK(std::abs(total - 1) <= 1e-4);  // and no NaN, which a maximum would pass over
    if (heading) continue;
    REQUIRE(fix.heading_probability.size() == headings);
    for (std::size_t k = 0; k < headings; ++k) {
      double sum = 0;
      for (std::size_t cell = 0; cell < cells; ++cell) {
        sum += static_cast<double>(fix.pose_probability[k * cells + cell]);
      }
      CHECK(std::abs(sum - static_cast<double>(fix.heading_probability[k])) <= 1e-5);
    }
  }
  CHECK(bundled()
            .locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale})
            .pose_probability.empty());
}

TEST_CASE("the matcher keeps a tile's features for that tile alone") {
  const auto tile = test::image("ground/tile", 150, 150);
  auto changed = test::image("ground/tile", 150, 150);
  for (Index c = 0; c < 3; ++c) changed(149, 149, c) = 255;
  const auto panorama = panorama_of(tile, {60.5, 90.5}, 0);
  Localizer localizer = bundled();
  const auto logits = [&](Localizer& with, const HostImageView& satellite, double scale) {
    return with
        .locate(GroundImage(panorama), SatelliteImage(satellite), {.metres_per_pixel = scale})
        .logits;
  };
  const auto first = logits(localizer, tile, kScale);
  CHECK(logits(localizer, tile, kScale) == first);
  CHECK(logits(localizer, changed, kScale) != first);
  CHECK(logits(localizer, tile, kScale) == first);
  CHECK(logits(localizer, tile, 0.22).size() != first.size());
  CHECK(logits(localizer, tile, kScale) == first);
  Localizer fresh = bundled();
  CHECK(logits(fresh, changed, kScale) == logits(localizer, changed, kScale));
}

TEST_CASE("after the first call the matcher allocates nothing on its own account") {
  if (!test::allocations_are_counted()) {
    WARN("skipped: allocation counts: a sanitizer brings its own allocator");
    return;
  }
  const auto panorama = panorama_of(test::image("ground/tile", 100, 100), {50.5, 50.5}, 0);
  const Tensor<std::uint8_t, 3> tiles[] = {test::image("ground/tile", 100, 100),
                                           test::image("ground/other", 100, 100)};
  const std::optional<double> known(30.0);
  for (const bool poses : {false, true}) {
    Localizer localizer = bundled({.pose_probability = poses});
    Fix fix;
    const auto locate = [&](const Tensor<std::uint8_t, 3>& tile, std::optional<double> heading) {
      localizer.locate(
          {GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale}, {heading}},
          fix);
    };
    locate(tiles[0], known);
    locate(tiles[0], std::nullopt);
    const test::AllocationCounter counter;
    for (const auto& tile : tiles) {
      locate(tile, known);
      locate(tile, std::nullopt);
    }
    locate(tiles[1], known);
    CHECK(counter.counts().own == 0);
  }
}

TEST_CASE("headings are searched coarse to fine, and cover the circle once") {
  model::HeadingSearch search(18, 2);
  search.start(std::nullopt);
  REQUIRE(search.rows() == 36);
  REQUIRE(search.bins() == 54);
  std::vector<float> masses(36, -50.0F);
  masses[2 * 4 + 1] = 3;  // 80 degrees, the second ratio
  masses[0] = 2;          // north
  masses[2 * 17] = 1;     // 340 degrees
  search.refine(masses);
  REQUIRE(search.rows() == model::HeadingSearch::most_rows(18, 2));
  CHECK(search.heading(2 * 18).degrees == Approx(80 - 20.0 / 3));
  CHECK(search.heading(2 * 19 + 1).degrees == Approx(80 + 20.0 / 3));
  CHECK(search.heading(2 * 20).degrees == Approx(360 - 20.0 / 3));
  std::vector<int> covered(54);
  double prior = 0;
  for (Index row = 0; row < search.rows(); row += 2) {
    search.for_each_bin(search.heading(row),
                        [&](Index bin) { ++covered[static_cast<std::size_t>(bin)]; });
    prior += std::exp(search.log_prior(row));
  }
  CHECK(covered == std::vector<int>(54, 1));
  CHECK(prior == Approx(18));
  // Even masses per degree make an even posterior.
  masses.clear();
  for (Index row = 0; row < search.rows(); ++row) {
    masses.push_back(static_cast<float>(search.log_prior(row)) + 7);
  }
  std::vector<float> posterior;
  search.posterior(masses, posterior);
  REQUIRE(posterior.size() == 54);
  for (const float p : posterior) CHECK(p == Approx(1.0 / 54));

  // Few steps, all of them taken in parts.
  model::HeadingSearch few(3, 1);
  few.start(std::nullopt);
  few.refine(std::vector<float>{1, 3, 2});
  REQUIRE(few.rows() == 9);
  covered.assign(9, 0);
  for (Index row = 0; row < few.rows(); ++row) {
    CHECK(few.heading(row).degrees == Approx(40.0 * static_cast<double>(few.heading(row).bin)));
    few.for_each_bin(few.heading(row),
                     [&](Index bin) { ++covered[static_cast<std::size_t>(bin)]; });
  }
  CHECK(covered == std::vector<int>(9, 1));

  search.start(33.0);
  CHECK(search.rows() == 2);
  CHECK(search.heading(1).degrees == 33.0);
  search.refine(std::vector<float>{1, 2});
  CHECK(search.rows() == 2);
  search.posterior(std::vector<float>{1, 2}, posterior);
  CHECK(posterior == std::vector<float>{1});
}

TEST_CASE("the matcher refuses what it cannot measure, and says what would be right") {
  using Catch::Matchers::Contains;
  const auto tile = test::image("ground/tile", 200, 200);
  const auto panorama = panorama_of(tile, {90.5, 110.5}, 0);
  Localizer localizer = bundled();
  CHECK_THROWS_WITH(localizer.locate(GroundImage(panorama), SatelliteImage(tile)),
                    Contains("--gsd or --bounds"));
  CHECK_THROWS_WITH(
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = 0.05}),
      Contains("10 m wide; these weights take 15 m to 400 m"));
  CHECK_THROWS_WITH(
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = 2.5}),
      Contains("500 m wide"));
  CHECK_THROWS_WITH(
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = 0.7}),
      Contains("at more than 0.6 m"));
  CHECK_THROWS_AS(
      localizer.locate(GroundImage(tile), SatelliteImage(tile), {.metres_per_pixel = kScale}),
      ImageError);
  const double nan = std::nan("");
  CHECK_THROWS_AS(
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = nan}),
      ImageError);
  CHECK_THROWS_AS(localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                                   {.metres_per_pixel = kScale}, {.heading_degrees = nan}),
                  ImageError);
  Tensor<std::uint8_t, 3> grey({256, 512, 3});
  CHECK_THROWS_WITH(
      localizer.check({GroundImage(grey), SatelliteImage(tile), {.metres_per_pixel = kScale}}),
      Contains("shows no ground"));
  const Tensor<std::uint8_t, 3> black({200, 200, 3});
  CHECK_THROWS_WITH(
      localizer.check({GroundImage(panorama), SatelliteImage(black), {.metres_per_pixel = kScale}}),
      Contains("of one colour"));
  CHECK_THROWS_WITH(bundled({.rescale = true}), Contains("leave out --rescale"));
  CHECK_THROWS_AS(bundled({.precision = Precision::f16}), DeviceError);
}

TEST_CASE("rows of one colour at a panorama's lower edge are no ground") {
  auto panorama = test::image("ground/panorama", 256, 512);
  CHECK(camera::nearest_ground(panorama, 2.6) == 0);
  const auto paint = [&](Index from) {
    for (Index row = from; row < 256; ++row) {
      for (Index col = 0; col < 512; ++col) {
        for (Index c = 0; c < 3; ++c) {  // as JPEG leaves it
          panorama(row, col, c) = static_cast<std::uint8_t>(117 + col % 3);
        }
      }
    }
  };
  paint(192);  // 45 degrees down
  CHECK(camera::nearest_ground(panorama, 2.6) == Approx(2.6));
  paint(100);
  CHECK(std::isinf(camera::nearest_ground(panorama, 2.6)));
}

TEST_CASE("headings count to whole turns, however many") {
  CHECK(ops::wrapped_degrees(-90) == 270);
  CHECK(ops::wrapped_degrees(3600000090.0) == 90);
  CHECK(ops::wrapped_degrees(-1e-20) == 0);
  CHECK_FALSE(std::signbit(ops::wrapped_degrees(-0.0)));
  CHECK_FALSE(std::signbit(ops::wrapped_degrees(-360.0)));
  const auto tile = test::image("ground/tile", 100, 100);
  const auto panorama = panorama_of(tile, {50.5, 40.5}, 90);
  Localizer localizer = bundled();
  const auto logits = [&](double heading) {
    return localizer
        .locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale},
                {heading})
        .logits;
  };
  CHECK(logits(3600000090.0) == logits(90));
  CHECK(logits(1e300).size() == logits(90).size());
}

TEST_CASE("a heading is the mean about the posterior's peak, across north too") {
  const auto of = [](std::vector<float> p) { return ops::circular_mean(p); };
  CHECK(of({0.5F, 0.25F, 0, 0, 0, 0.25F}).degrees == Approx(0).margin(1e-9));
  CHECK(of({0.5F, 0, 0, 0, 0, 0.5F}).degrees == Approx(330));  // between 300 and 0
  CHECK(of({0, 0, 1, 0, 0, 0}).degrees == Approx(120));
  CHECK(of({0, 0, 1, 0, 0, 0}).sigma_degrees == Approx(60 / std::sqrt(12.0)));
  CHECK(of({0.5F, 0, 0, 0.5F, 0, 0}).sigma_degrees > 100);
}
