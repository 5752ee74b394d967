#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/camera/ground.hpp"
#include "crossfix/camera/panorama.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/detail/model/heading_search.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/localizer.hpp"
#include "crossfix/ops/heading.hpp"
#include "io/files.hpp"
#include "support/allocation_counter.hpp"
#include "support/counter_generator.hpp"
#include "support/flat_ground.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using Catch::Matchers::Contains;

namespace {

constexpr double kPi = 3.14159265358979323846;
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

/// A photo of flat ground that looks like the tile, taken above `stands` (tile pixels), the
/// camera's forward axis at `heading` degrees; grey beyond the tile and above the horizon.
Tensor<std::uint8_t, 3> photo_of(const Tensor<std::uint8_t, 3>& tile, PixelPoint stands,
                                 double heading, const camera::Camera& camera,
                                 const camera::Mount& mount) {
  const camera::GroundCamera ground(camera, mount);
  Tensor<std::uint8_t, 3> photo({camera.height(), camera.width(), 3});
  const double sine = std::sin(heading / 180 * kPi);
  const double cosine = std::cos(heading / 180 * kPi);
  for (Index row = 0; row < camera.height(); ++row) {
    for (Index col = 0; col < camera.width(); ++col) {
      const auto point =
          ground.ground_point(static_cast<double>(row) + 0.5, static_cast<double>(col) + 0.5);
      const double east = point.right * cosine + point.forward * sine;
      const double north = point.forward * cosine - point.right * sine;
      const double r = stands.row - north / kScale;
      const double c = stands.col + east / kScale;
      const bool seen = point.valid && r >= 0 && c >= 0 &&
                        r < static_cast<double>(tile.extent(0)) &&
                        c < static_cast<double>(tile.extent(1));
      for (Index k = 0; k < 3; ++k) {
        photo(row, col, k) = seen ? tile(static_cast<Index>(r), static_cast<Index>(c), k)
                                  : static_cast<std::uint8_t>(150 + 20 * k + col % 7);
      }
    }
  }
  return photo;
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
      // A cell is centred on the middle of its first pixel.
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

TEST_CASE("the matcher takes the photo of any camera, tilted or not") {
  const auto tile = test::image("ground/tile", 250, 250);
  Localizer localizer = bundled();
  const PixelPoint stands{125.5, 110.5};
  const auto locate = [&](const camera::Camera& camera, camera::Mount mount, double heading,
                          const GroundInfo& told) {
    const auto photo = photo_of(tile, stands, heading, camera, mount);
    return localizer.locate(GroundImage(photo), SatelliteImage(tile), {.metres_per_pixel = kScale},
                            told);
  };
  using camera::Model;
  for (const camera::Camera& camera :
       {camera::camera_of_field_of_view(Model::kPinhole, 480, 640, 90),
        camera::camera_of_field_of_view(Model::kFisheye, 500, 500, 190),
        camera::camera_of_field_of_view(Model::kCylindrical, 400, 900, 180),
        camera::camera_of_field_of_view(Model::kEquirectangular, 256, 512, 360)}) {
    for (const camera::Mount& mount :
         {camera::Mount{.height = 2.0},
          camera::Mount{.height = 1.7, .roll_degrees = 4, .pitch_degrees = -8}}) {
      CAPTURE(static_cast<int>(camera.model()), mount.pitch_degrees);
      GroundInfo told{.heading_degrees = 70};
      told.mounted = camera::MountedCamera{camera, mount};
      const Fix fix = locate(camera, mount, 70, told);
      CHECK(std::hypot(fix.pixel.row - stands.row, fix.pixel.col - stands.col) * kScale <= 0.8);
      told.heading_degrees.reset();
      const Fix found = locate(camera, mount, 70, told);
      CHECK(std::hypot(found.pixel.row - stands.row, found.pixel.col - stands.col) * kScale <= 1.2);
      CHECK(std::abs(std::remainder(found.heading_degrees.value() - 70, 360)) <= 7);
    }
  }

  SECTION("a heading that is not exact is searched for about the one given") {
    const auto camera = camera::camera_of_field_of_view(Model::kPinhole, 480, 640, 90);
    GroundInfo told{.heading_degrees = 55, .heading_sigma_degrees = 15};
    told.mounted = camera::MountedCamera{camera, {.height = 2.0}};
    const Fix fix = locate(camera, {.height = 2.0}, 70, told);
    CHECK(std::abs(std::remainder(fix.heading_degrees.value() - 70, 360)) <= 7);
    CHECK(fix.heading_sigma_degrees.value() > 0);
    for (const double sigma : {-1.0, 181.0, 1e300, std::nan("")}) {
      told.heading_sigma_degrees = sigma;
      CHECK_THROWS_WITH(locate(camera, {.height = 2.0}, 70, told), Contains("0 to 180 degrees"));
    }
  }
  SECTION("a pitch that is not exact is marginalised") {
    const auto camera = camera::camera_of_field_of_view(Model::kPinhole, 480, 640, 90);
    GroundInfo told{.heading_degrees = 70};
    told.mounted = camera::MountedCamera{camera, {.height = 2.0, .pitch_sigma_degrees = 3}};
    const Fix fix = locate(camera, {.height = 2.0, .pitch_degrees = -5}, 70, told);
    CHECK(std::hypot(fix.pixel.row - stands.row, fix.pixel.col - stands.col) * kScale <= 1.2);
  }
  SECTION("what no answer can come of is refused") {
    const auto camera = camera::camera_of_field_of_view(Model::kPinhole, 480, 640, 60);
    GroundInfo told;
    told.mounted = camera::MountedCamera{camera, {.height = 2.0, .pitch_degrees = 60}};
    const auto photo = photo_of(tile, stands, 0, camera, {.height = 2.0});
    const TileInfo info{.metres_per_pixel = kScale};
    CHECK_THROWS_WITH(localizer.locate(GroundImage(photo), SatelliteImage(tile), info, told),
                      Contains("sees no ground"));
    told.mounted->mount.pitch_degrees = 0;
    CHECK_THROWS_WITH(localizer.locate(GroundImage(tile), SatelliteImage(tile), info, told),
                      Contains("parameters are for an image of 640 x 480"));
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
  // Logits of size 1 are floats with an error of 2^-24, divided by a temperature of 0.02.
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
    CHECK(std::abs(total - 1) <= 1e-4);  // and no NaN, which a maximum would ignore
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

TEST_CASE("a tile that shows the ground twice has two hypotheses, each with its heading") {
  // The right half is the left one turned by half a circle about the tile's middle.
  auto tile = test::image("ground/tile", 250, 250);  // 50 m
  for (Index row = 0; row < 250; ++row) {
    for (Index col = 125; col < 250; ++col) {
      for (Index c = 0; c < 3; ++c) tile(row, col, c) = tile(249 - row, 249 - col, c);
    }
  }
  const PixelPoint cameras[] = {{100.5, 62.5}, {149.5, 187.5}};
  const double headings[] = {30, 210};
  const auto panorama = panorama_of(tile, cameras[0], headings[0]);
  Localizer localizer = bundled({.pose_probability = true});
  const Fix fix = localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                                   {.metres_per_pixel = kScale}, {.heading_degrees = std::nullopt});
  REQUIRE(fix.hypotheses.size() >= 2);
  CHECK(fix.hypotheses[0].share + fix.hypotheses[1].share > 0.9);
  CHECK(fix.hypotheses[1].share > 0.1);
  const bool swapped = fix.hypotheses[0].pixel.col > 125;
  for (std::size_t i = 0; i < 2; ++i) {
    const Hypothesis& each = fix.hypotheses[swapped ? 1 - i : i];
    CAPTURE(i);
    CHECK(std::hypot(each.pixel.row - cameras[i].row, each.pixel.col - cameras[i].col) * kScale <=
          0.8);
    CHECK(std::abs(std::remainder(each.heading_degrees.value() - headings[i], 360)) <= 5);
    CHECK_FALSE(each.position);
  }

  // The covariance is that of the poses, to the rounding of masses that are floats.
  double mean[3]{};
  double square[3][3]{};
  const auto grid = static_cast<std::size_t>(fix.grid);
  const double cell = fix.window.height / static_cast<double>(grid);
  const double step = 360.0 / 54;
  for (std::size_t k = 0; k < 54; ++k) {
    const double off =
        std::remainder(step * static_cast<double>(k) - fix.heading_degrees.value(), 360);
    for (std::size_t i = 0; i < grid * grid; ++i) {
      const auto p = static_cast<double>(fix.pose_probability[k * grid * grid + i]);
      const double at[3] = {(static_cast<double>(i / grid) + 0.5) * cell,
                            (static_cast<double>(i % grid) + 0.5) * cell, off};
      for (std::size_t a = 0; a < 3; ++a) {
        mean[a] += p * at[a];
        for (std::size_t b = 0; b < 3; ++b) square[a][b] += p * at[a] * at[b];
      }
    }
  }
  const auto& [row_heading, col_heading, heading_heading] = fix.heading_covariance;
  CHECK(row_heading == Approx(square[0][2] - mean[0] * mean[2]).epsilon(1e-3));
  CHECK(col_heading == Approx(square[1][2] - mean[1] * mean[2]).epsilon(1e-3));
  CHECK(heading_heading == Approx(square[2][2] + step * step / 12).epsilon(1e-3));
  CHECK(heading_heading == Approx(std::pow(fix.heading_sigma_degrees.value(), 2)));
  // One camera is half a turn from the other, and as far to the side as the halves are.
  const double share = fix.hypotheses[0].share;
  CHECK(std::abs(col_heading) == Approx(share * (1 - share) * 125 * 180).epsilon(0.2));
  const auto& [rr, rc, cc] = fix.covariance_px;
  CHECK(rr * (cc * heading_heading - col_heading * col_heading) -
            rc * (rc * heading_heading - col_heading * row_heading) +
            row_heading * (rc * col_heading - cc * row_heading) >
        0);

  const Fix known =
      localizer.locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale},
                       {.heading_degrees = headings[1] - 360});
  CHECK(known.hypotheses.at(0).pixel.col > 125);
  CHECK(known.hypotheses.at(0).share > 0.9);
  CHECK(known.hypotheses.at(0).heading_degrees == headings[1]);
  CHECK(known.heading_covariance == std::array<double, 3>{});
}

TEST_CASE("adapters change the view they belong to, and nothing where they are zero") {
  const auto bundled =
      io::Safetensors::open(test::source_folder() / "models/crossfix-ground.safetensors");
  auto configuration = io::read_configuration(bundled);
  TensorRecords plain;  // without the bundled adapters
  for (const auto& [name, record] : bundled.tensors()) {
    if (!name.starts_with("adapters.")) plain[name] = record;
  }
  constexpr Index kChannels = 40;
  const std::map<std::string, std::vector<Index>> shapes{
      {"expand.weight", {2 * kChannels, kChannels, 1, 1}},  {"expand.bias", {2 * kChannels}},
      {"depthwise.weight", {2 * kChannels, 5, 5}},          {"depthwise.bias", {2 * kChannels}},
      {"project.weight", {kChannels, 2 * kChannels, 1, 1}}, {"project.bias", {kChannels}}};
  const test::ScratchFolder folder;
  const auto tile = test::image("ground/tile", 120, 120);
  const auto panorama = test::panorama_of(tile, kScale, {60.5, 60.5}, 0);
  // The logits of weights whose adapters' projections have values within `view` and `tile`.
  const auto logits = [&](Index adapters, float of_view, float of_tile) {
    TensorRecords records = plain;
    std::map<std::string, std::vector<float>> values;
    for (Index i = 0; i < adapters; ++i) {
      for (const auto& [kind, size] : {std::pair{"view", of_view}, std::pair{"tile", of_tile}}) {
        for (const auto& [name, shape] : shapes) {
          const std::string full =
              std::string("adapters.") + kind + "." + std::to_string(i) + "." + name;
          Index count = 1;
          for (const Index extent : shape) count *= extent;
          auto& value = values[full];
          const std::uint64_t stream = test::stream(name);
          for (Index k = 0; k < count; ++k) {
            const auto drawn =
                static_cast<float>(test::value(stream, static_cast<std::uint64_t>(k)));
            value.push_back(drawn * (name.starts_with("project") ? size : 0.2F));
          }
          records[full] = {Dtype::f32, shape, reinterpret_cast<const std::byte*>(value.data())};
        }
      }
    }
    configuration.ground_match.adapters = adapters;
    io::write_safetensors(folder / "w", records,
                          {{io::kConfigurationKey, io::to_json(configuration)}});
    Localizer localizer = Localizer::load(folder / "w", {.device = Device::cpu});
    return localizer
        .locate(GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = kScale})
        .logits;
  };
  const auto without = logits(0, 0, 0);
  REQUIRE(without.size() == 900);
  CHECK(logits(2, 0, 0) == without);
  const auto both = logits(2, 0.1F, 0.1F);
  const auto view = logits(2, 0.1F, 0);
  const auto of_tile = logits(2, 0, 0.1F);
  CHECK(view != without);
  CHECK(of_tile != without);
  CHECK(both != view);
  CHECK(both != of_tile);
  CHECK(logits(1, 0.1F, 0.1F) != both);

  io::write_safetensors(folder / "w", plain, {{io::kConfigurationKey, io::to_json(configuration)}});
  CHECK_THROWS_WITH(Localizer::load(folder / "w", {.device = Device::cpu}),
                    Contains("'adapters.view.0.expand.weight' is missing"));
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
  model::HeadingSearch search(18);
  search.start(std::nullopt, 2);
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
  // Equal masses per degree make a uniform posterior.
  masses.clear();
  for (Index row = 0; row < search.rows(); ++row) {
    masses.push_back(static_cast<float>(search.log_prior(row)) + 7);
  }
  std::vector<float> posterior;
  search.posterior(masses, posterior);
  REQUIRE(posterior.size() == 54);
  for (const float p : posterior) CHECK(p == Approx(1.0 / 54));

  // Few steps, all of them divided into parts.
  model::HeadingSearch few(3);
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

  search.start(33.0, 2);
  CHECK(search.rows() == 2);
  CHECK(search.heading(1).degrees == 33.0);
  search.refine(std::vector<float>{1, 2});
  CHECK(search.rows() == 2);
  search.posterior(std::vector<float>{1, 2}, posterior);
  CHECK(posterior == std::vector<float>{1});
}

TEST_CASE("the matcher refuses what it cannot measure, and says what would be right") {
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
  auto sky = test::image("ground/sky", 256, 512);
  std::fill_n(&sky(100, 0, 0), 156 * 512 * 3, std::uint8_t{0});
  CHECK_THROWS_WITH(
      localizer.check({GroundImage(sky), SatelliteImage(tile), {.metres_per_pixel = kScale}}),
      Contains("shows no ground"));
  CHECK_THROWS_WITH(bundled({.rescale = true}), Contains("leave out --rescale"));
  CHECK_THROWS_AS(bundled({.precision = Precision::f16}), DeviceError);
}

TEST_CASE("a wrong tile stands out less than the right one") {
  const auto tile = test::image("ground/tile", 200, 200);
  const auto other = test::image("ground/elsewhere", 200, 200);
  const auto panorama = panorama_of(tile, {90.5, 110.5}, 0);
  Localizer localizer = bundled();
  for (const auto& heading : {std::optional<double>(0), std::optional<double>()}) {
    const auto locate = [&](const Tensor<std::uint8_t, 3>& in) {
      return localizer.locate(GroundImage(panorama), SatelliteImage(in),
                              {.metres_per_pixel = kScale}, {heading});
    };
    const Fix right = locate(tile);
    const Fix wrong = locate(other);
    CHECK(right.evidence.peak > wrong.evidence.peak + 0.1);
    CHECK(right.evidence.peak < 1.01);
    CHECK(right.evidence.standout > wrong.evidence.standout);
    CHECK(right.evidence.seen == 1);
    CHECK(*right.nowhere < *wrong.nowhere);
    CHECK_FALSE(right.not_here());
    CHECK(wrong.not_here());
    CHECK(*wrong.radius68_m > 0.4 * 200 * kScale);
  }
}

TEST_CASE("a heading known better than the search can tell is taken as given") {
  const auto tile = test::image("ground/tile", 100, 100);
  const auto panorama = panorama_of(tile, {50.5, 40.5}, 8);
  Localizer localizer = bundled();
  const auto locate = [&](double sigma) {
    return localizer.locate(GroundImage(panorama), SatelliteImage(tile),
                            {.metres_per_pixel = kScale}, {8.0, sigma});
  };
  const Fix exact = locate(0);
  const Fix sure = locate(1);
  CHECK(sure.logits == exact.logits);
  CHECK(sure.heading_degrees == 8.0);
  CHECK(sure.heading_sigma_degrees == 1.0);
  CHECK(locate(3).heading_probability.size() == 54);
}

TEST_CASE("a photo a pixel wide is refused, not sampled") {
  const auto tile = test::image("ground/tile", 100, 100);
  const auto sliver = test::image("ground/sliver", 4, 1);
  const camera::MountedCamera mounted{
      camera::camera_of_field_of_view(camera::Model::kPinhole, 4, 1, 90), {.height = 2}};
  Localizer localizer = bundled();
  CHECK_THROWS_AS(localizer.check({GroundImage(sliver),
                                   SatelliteImage(tile),
                                   {.metres_per_pixel = kScale},
                                   {0.0, 0, mounted}}),
                  ImageError);
}

TEST_CASE("images that show nothing are answered, not matched") {
  const auto tile = test::image("ground/tile", 200, 200);
  const auto panorama = panorama_of(tile, {90.5, 110.5}, 0);
  const Tensor<std::uint8_t, 3> black_tile({200, 200, 3});
  const Tensor<std::uint8_t, 3> black_ground({256, 512, 3});
  Localizer localizer = bundled({.pose_probability = true});
  const TileInfo scale{.metres_per_pixel = kScale};
  Fix fix;
  localizer.locate({GroundImage(panorama), SatelliteImage(tile), scale}, fix);
  const Index grid = fix.grid;
  const auto check = [&](bool blank_ground, bool blank_satellite) {
    CHECK(fix.blank_ground == blank_ground);
    CHECK(fix.blank_satellite == blank_satellite);
    CHECK(fix.nowhere == 1.0);
    CHECK(fix.not_here());
    CHECK(fix.pixel.row == 100);
    CHECK(fix.pixel.col == 100);
    // 68 % of a square of side 1 lie within 0.4652 of its middle: the circle leaves its corners.
    CHECK(fix.radius68_px == Approx(0.4652 * 200).epsilon(1e-3));
    CHECK(fix.radius68_m == Approx(0.4652 * 200 * kScale).epsilon(1e-3));
    CHECK(fix.hypotheses.empty());
    CHECK(fix.probability.size() == static_cast<std::size_t>(fix.grid * fix.grid));
    CHECK(fix.probability.front() == fix.probability.back());
    CHECK(fix.grid == grid);
    const std::size_t headings = std::max<std::size_t>(fix.heading_probability.size(), 1);
    CHECK(fix.pose_probability.size() == headings * fix.probability.size());
    CHECK(std::accumulate(fix.pose_probability.begin(), fix.pose_probability.end(), 0.0) ==
          Approx(1).epsilon(1e-4));
  };
  localizer.locate({GroundImage(panorama), SatelliteImage(black_tile), scale, {{}}}, fix);
  check(false, true);
  CHECK_FALSE(fix.heading_degrees);
  CHECK(fix.heading_probability.size() == 54);
  localizer.locate({GroundImage(black_ground), SatelliteImage(tile), scale, {30.0}}, fix);
  check(true, false);
  CHECK(fix.heading_degrees == 30.0);
  CHECK(fix.heading_probability.empty());
  localizer.locate({GroundImage(black_ground), SatelliteImage(black_tile), scale, {30.0, 5}}, fix);
  check(true, true);
  CHECK(fix.heading_sigma_degrees == 5.0);
  // Bins of 360 / 54 degrees; the steps at 20 and 40 degrees share the prior.
  CHECK(std::accumulate(&fix.heading_probability[2], &fix.heading_probability[8], 0.0) > 0.99);
  // The next pair is as if there had been none before.
  localizer.locate({GroundImage(panorama), SatelliteImage(tile), scale}, fix);
  CHECK_FALSE(fix.blank_ground);
  CHECK_FALSE(fix.not_here());
  CHECK(std::hypot(fix.pixel.row - 90.5, fix.pixel.col - 110.5) < 5);
}

TEST_CASE("rows of one colour at a panorama's lower edge are no ground") {
  auto panorama = test::image("ground/panorama", 256, 512);
  CHECK(camera::nearest_ground(panorama, 2.6) == 0);
  const auto paint = [&](Index from) {
    for (Index row = from; row < 256; ++row) {
      for (Index col = 0; col < 512; ++col) {
        for (Index c = 0; c < 3; ++c) {  // with the losses of JPEG
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

TEST_CASE("headings count to whole turns, as long as degrees can be told apart") {
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
  CHECK_THROWS_AS(logits(1e300), ImageError);  // no fraction of a turn is left in it
}

TEST_CASE("a heading is the mean about the posterior's peak, across north too") {
  const auto of = [](std::vector<float> p) { return ops::circular_mean(p); };
  CHECK(of({0.5F, 0.25F, 0, 0, 0, 0.25F}).degrees == Approx(0).margin(1e-9));
  CHECK(of({0.5F, 0, 0, 0, 0, 0.5F}).degrees == Approx(330));  // between 300 and 0
  CHECK(of({0, 0, 1, 0, 0, 0}).degrees == Approx(120));
  CHECK(of({0, 0, 1, 0, 0, 0}).sigma_degrees == Approx(60 / std::sqrt(12.0)));
  CHECK(of({0.5F, 0, 0, 0.5F, 0, 0}).sigma_degrees > 100);
}
