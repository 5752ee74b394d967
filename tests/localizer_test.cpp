#include "crossfix/localizer.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "crossfix/cpu/instruction_set.hpp"
#include "crossfix/io/georeference.hpp"
#include "crossfix/ops/hypotheses.hpp"
#include "localizer/content.hpp"
#include "support/allocation_counter.hpp"
#include "support/golden.hpp"
#include "support/model_files.hpp"

using namespace crossfix;
using test::ModelFile;

namespace {

Localizer load(const ModelFile& file, bool rescale = false, Index batch = 1) {
  return Localizer::load(file.path(), {.device = Device::cpu,
                                       .precision = Precision::f32,
                                       .threads = 1,
                                       .batch = batch,
                                       .rescale = rescale});
}

bool same(const Fix& a, const Fix& b) {
  return a.logits == b.logits && a.offsets == b.offsets && a.probability == b.probability &&
         a.pixel.row == b.pixel.row && a.pixel.col == b.pixel.col && a.radius68_px == b.radius68_px;
}

/// What holds of the hypotheses of any network whose heading is given.
void check_hypotheses(const Fix& fix) {
  REQUIRE_FALSE(fix.hypotheses.empty());
  CHECK(fix.hypotheses.size() <= 5);
  double last = 1 + 1e-6;  // masses are floats
  double sum = 0;
  for (const Hypothesis& each : fix.hypotheses) {
    CHECK(each.share > 0);
    CHECK(each.share <= last);
    CHECK(each.heading_degrees == fix.heading_degrees);
    CHECK(each.position.has_value() == fix.position.has_value());
    CHECK(each.pixel.row >= fix.window.row);
    CHECK(each.pixel.row <= fix.window.row + fix.window.height);
    CHECK(each.pixel.col >= fix.window.col);
    CHECK(each.pixel.col <= fix.window.col + fix.window.width);
    last = each.share;
    sum += each.share;
  }
  CHECK(sum <= 1 + 1e-5);
  CHECK(fix.heading_covariance == std::array<double, 3>{});
}

}  // namespace

TEST_CASE("the bundled weights give the same bytes in any batch, on any threads", "[localizer]") {
  constexpr Index kMostPairs = 8;
  if (cpu::best_instruction_set() < cpu::InstructionSet::avx512) {
    WARN("skipped: without AVX-512 oneDNN divides sums by the number of threads");
    return;
  }
  std::vector<Tensor<std::uint8_t, 3>> grounds;
  std::vector<Tensor<std::uint8_t, 3>> tiles;
  std::vector<Pair> pairs;
  for (Index i = 0; i < kMostPairs; ++i) {
    grounds.push_back(test::image("image/ground/" + std::to_string(i), 80, 160));
    tiles.push_back(test::image("image/satellite/" + std::to_string(i), 128, 128));
    pairs.push_back({GroundImage(grounds.back()), SatelliteImage(tiles.back())});
  }
  std::vector<Fix> expected;
  for (int threads = 1; threads <= 4; ++threads) {
    for (Index batch = 1; batch <= kMostPairs; ++batch) {
      CAPTURE(threads, batch);
      Localizer localizer = Localizer::load(
          test::source_folder() / "models/crossfix-s.safetensors",
          {.device = Device::cpu, .precision = Precision::f32, .threads = threads, .batch = batch});
      std::vector<Fix> fixes;
      localizer.locate(pairs, fixes);
      if (expected.empty()) expected = fixes;
      for (std::size_t i = 0; i < fixes.size(); ++i) CHECK(same(fixes[i], expected[i]));
    }
  }
}

TEST_CASE("weights that overflow are an error that names the tensor or the stage", "[localizer]") {
  model::Configuration c = test::tiny_configuration();
  c.family = GENERATE(model::Family::crossfix, model::Family::mcc, model::Family::vigor_baseline);
  if (c.family != model::Family::crossfix) {
    c.grid = c.family == model::Family::mcc ? 128 : 1;
    c.ground_size = {48, 96};
  }
  const auto satellite = test::image("image/satellite", 256, 256);
  const auto ground = test::image("image/ground", 96, 192);
  const test::ScratchFolder folder;
  const auto with = [&](const std::string& part, float factor) {
    test::GeneratedModel model(c);
    for (auto& [name, values] : model.values) {
      const bool measured = name.find(".running_") != std::string::npos;
      if (measured || name.find(part) == std::string::npos) continue;
      for (float& value : values) value *= factor;
    }
    model.write(folder / "w", c);
    return Localizer::load(folder / "w", {.device = Device::cpu, .precision = Precision::f32});
  };
  const std::vector<Pair> pairs{{GroundImage(ground), SatelliteImage(satellite)}};
  std::vector<Fix> fixes;
  CHECK_NOTHROW(with("extractor", 1.01F).locate(pairs, fixes));
  CHECK_THROWS_AS(with("extractor", 1e37F), WeightsError);
  CHECK_THROWS_AS(with("extractor", 1e6F), WeightsError);
  // Each weight may be, but what they give together grows beyond any number. In float the rest of
  // the network hides it: an activation makes 0 of NaN.
  Localizer grows = with("sat_extractor", 300.0F);
  CHECK_THROWS_WITH(grows.locate(pairs, fixes),
                    Catch::Matchers::Contains("the satellite backbone"));
  CHECK_THROWS_AS(grows.locate(pairs, fixes), NumberError);
}

TEST_CASE("a baseline locates as the network does", "[localizer]") {
  model::Configuration c;
  c.family = GENERATE(model::Family::mcc, model::Family::vigor_baseline);
  const bool mcc = c.family == model::Family::mcc;
  c.backbone.planes = 8;
  c.satellite_size = 128;
  c.grid = mcc ? 128 : 1;
  c.ground_size = {48, 96};
  c.metres_per_network_pixel = 0.5;
  const ModelFile file(c);
  Localizer localizer = load(file, false, 2);
  const auto satellite = test::image("image/satellite", 256, 256);
  const auto ground = test::image("image/ground", 96, 192);
  const auto other = test::image("image/ground/1", 96, 192);
  const TileInfo tile{.metres_per_pixel = 0.25};
  std::vector<Fix> fixes(2);
  localizer.locate(std::vector<Pair>{{GroundImage(ground), SatelliteImage(satellite), tile},
                                     {GroundImage(other), SatelliteImage(satellite), tile}},
                   fixes);
  for (const Fix& fix : fixes) {
    REQUIRE(fix.grid == c.grid);
    REQUIRE(fix.radius68_m);
    CHECK(*fix.radius68_m == Approx(fix.radius68_px * 0.25));
    CHECK(fix.radius68_px > 0);
    if (mcc) {
      CHECK(fix.pixel.row == Approx(2 * (static_cast<double>(fix.cell / 128) + 0.5)));
      CHECK(fix.pixel.col == Approx(2 * (static_cast<double>(fix.cell % 128) + 0.5)));
    } else {
      CHECK(fix.probability == std::vector<float>{1.0F});
      CHECK(fix.pixel.row == Approx(256 * static_cast<double>(fix.offsets[0])));
      REQUIRE(fix.hypotheses.size() == 1);
      CHECK(fix.hypotheses[0].share == 1);
      CHECK(fix.hypotheses[0].pixel.row == Approx(fix.pixel.row));
      CHECK(fix.hypotheses[0].pixel.col == Approx(fix.pixel.col));
    }
    check_hypotheses(fix);
  }
  CHECK((fixes[0].logits != fixes[1].logits || fixes[0].offsets != fixes[1].offsets));
  CHECK(same(localizer.locate(GroundImage(ground), SatelliteImage(satellite), tile), fixes[0]));
}

TEST_CASE("a fix is the golden network's, in the tile's own pixels", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(satellite));
  const test::Golden golden("tiny");
  CHECK(golden.error("logits", fix.logits) <= 2e-5);
  CHECK(golden.error("offsets", fix.offsets) <= 2e-5);

  REQUIRE(fix.grid == 8);
  REQUIRE(fix.probability.size() == 64);
  CHECK(std::accumulate(fix.probability.begin(), fix.probability.end(), 0.0) == Approx(1));
  const auto best = std::max_element(fix.logits.begin(), fix.logits.end()) - fix.logits.begin();
  CHECK(fix.cell == best);
  const auto at = static_cast<std::size_t>(2 * best);
  CHECK(fix.pixel.row == Approx((static_cast<double>(best / 8) + fix.offsets[at]) * 16));
  CHECK(fix.pixel.col == Approx((static_cast<double>(best % 8) + fix.offsets[at + 1]) * 16));
  CHECK_FALSE(fix.radius68_m);
  CHECK_FALSE(fix.position);

  SECTION("network pixels scale linearly to a larger tile's") {
    // Each pixel nine times. The filter of a bilinear reduction by three is not quite that box, so
    // only the frame is compared.
    Tensor<std::uint8_t, 3> large({384, 384, 3});
    for (Index r = 0; r < 384; ++r) {
      for (Index c = 0; c < 384; ++c) {
        for (Index k = 0; k < 3; ++k) large(r, c, k) = satellite(r / 3, c / 3, k);
      }
    }
    const Fix larger = localizer.locate(GroundImage(ground), SatelliteImage(large));
    const auto cell = static_cast<std::size_t>(2 * larger.cell);
    CHECK(larger.pixel.row ==
          Approx((static_cast<double>(larger.cell / 8) + larger.offsets[cell]) * 48));
    CHECK(larger.window.height == 384);
  }
}

TEST_CASE("scale and position come from the tile", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);

  TileInfo scaled;
  scaled.metres_per_pixel = 0.5;
  const Fix metres = localizer.locate(GroundImage(ground), SatelliteImage(satellite), scaled);
  REQUIRE(metres.radius68_m);
  CHECK(*metres.radius68_m == Approx(0.5 * metres.radius68_px));
  // The tiny network sees 128 pixels of 0.285 m.
  CHECK(*localizer.scale_ratio(scaled, satellite) == Approx(0.5 / 0.285));

  TileInfo bounded;
  bounded.bounds = io::tile_bounds({-87.63, 41.88}, 128, 128);
  const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(satellite), bounded);
  REQUIRE(fix.position);
  const PixelPoint back = io::pixel_of(*bounded.bounds, 128, 128, *fix.position);
  CHECK(back.row == Approx(fix.pixel.row).margin(1e-5));
  CHECK(back.col == Approx(fix.pixel.col).margin(1e-5));
  REQUIRE(fix.radius68_m);
  CHECK(*fix.radius68_m / fix.radius68_px == Approx(io::metres_per_pixel(41.88)).epsilon(1e-4));
}

TEST_CASE("hypotheses are the posterior's, by falling share", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  TileInfo tile;
  tile.bounds = io::tile_bounds({-87.63, 41.88}, 128, 128);
  const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(satellite), tile,
                                   {.heading_degrees = 370});
  check_hypotheses(fix);
  CHECK(fix.hypotheses[0].heading_degrees == 10.0);
  const double cell = 16;  // pixels; one is more than a metre wide
  const ops::GridHypotheses expected({fix.probability, fix.offsets, fix.grid}, 1.5);
  REQUIRE(expected.found().size() == fix.hypotheses.size());
  for (const ops::GridHypothesis& each : expected.found()) {
    CHECK(std::any_of(fix.hypotheses.begin(), fix.hypotheses.end(), [&](const Hypothesis& other) {
      return other.share == each.share && other.pixel.row == Approx(each.row * cell) &&
             other.pixel.col == Approx(each.col * cell);
    }));
  }
  const PixelPoint back = io::pixel_of(*tile.bounds, 128, 128, *fix.hypotheses[0].position);
  CHECK(back.row == Approx(fix.hypotheses[0].pixel.row).margin(1e-5));
  CHECK(back.col == Approx(fix.hypotheses[0].pixel.col).margin(1e-5));
}

TEST_CASE("a heading rolls the panorama until its centre looks north", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto north = test::image("image/ground", 64, 128);
  // Turned by a quarter to the east, the camera sees east in the centre: columns move 32 to the
  // left.
  Tensor<std::uint8_t, 3> east({64, 128, 3});
  for (Index r = 0; r < 64; ++r) {
    for (Index c = 0; c < 128; ++c) {
      for (Index k = 0; k < 3; ++k) east(r, c, k) = north(r, (c + 32) % 128, k);
    }
  }
  const Fix expected = localizer.locate(GroundImage(north), SatelliteImage(satellite));
  CHECK(same(
      localizer.locate(GroundImage(east), SatelliteImage(satellite), {}, {.heading_degrees = 90}),
      expected));
  CHECK(same(
      localizer.locate(GroundImage(east), SatelliteImage(satellite), {}, {.heading_degrees = -270}),
      expected));
  CHECK_FALSE(same(localizer.locate(GroundImage(east), SatelliteImage(satellite)), expected));
}

TEST_CASE("a tile of another scale is cut or framed to the one trained at", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file, true);
  const auto ground = test::image("image/ground", 64, 128);
  const double trained_side = 128 * 0.285;

  SECTION("too much area: the middle is what counts") {
    const auto tile = test::image("image/satellite", 256, 256);
    TileInfo info;
    info.metres_per_pixel = trained_side / 128;  // the middle 128 of 256 pixels
    const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(tile), info);
    CHECK(fix.window.row == 64);
    CHECK(fix.window.col == 64);
    CHECK(fix.window.height == 128);
    Tensor<std::uint8_t, 3> middle({128, 128, 3});
    for (Index r = 0; r < 128; ++r) {
      for (Index c = 0; c < 128; ++c) {
        for (Index k = 0; k < 3; ++k) middle(r, c, k) = tile(r + 64, c + 64, k);
      }
    }
    const Fix expected = localizer.locate(GroundImage(ground), SatelliteImage(middle));
    CHECK(fix.logits == expected.logits);
    CHECK(fix.pixel.row == Approx(expected.pixel.row + 64));
    CHECK(fix.pixel.col == Approx(expected.pixel.col + 64));
  }
  SECTION("too little: it stands in the middle of a grey frame") {
    const auto tile = test::image("image/satellite", 64, 64);
    TileInfo info;
    info.metres_per_pixel = trained_side / 128;
    const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(tile), info);
    CHECK(fix.window.row == -32);
    CHECK(fix.window.width == 128);
    info.metres_per_pixel = trained_side / 128 / 100;
    CHECK_THROWS_AS(localizer.locate(GroundImage(ground), SatelliteImage(tile), info), ImageError);
  }
  SECTION("cut to a few pixels it is refused, with both figures") {
    const auto tile = test::image("image/satellite", 128, 128);
    TileInfo info;
    info.metres_per_pixel = 0.285 * 4;  // 32 pixels are left, a quarter of the input
    CHECK(localizer.locate(GroundImage(ground), SatelliteImage(tile), info).window.width == 32);
    for (const double scale : {1.5, 10.0, 100.0}) {
      CAPTURE(scale);
      info.metres_per_pixel = scale;
      const std::string side = std::to_string(static_cast<int>(scale * 128)) + " m wide";
      const Pair pair{GroundImage(ground), SatelliteImage(tile), info};
      CHECK_THROWS_WITH(localizer.check(pair),
                        Catch::Contains(side) && Catch::Contains("pixels a side, of at least 32"));
    }
  }
  SECTION("within the tolerance it is left alone") {
    const auto tile = test::image("image/satellite", 128, 128);
    TileInfo info;
    info.metres_per_pixel = 0.285 * 1.05;
    CHECK(localizer.locate(GroundImage(ground), SatelliteImage(tile), info).window.row == 0);
  }
}

TEST_CASE("localizers that share weights run side by side", "[localizer]") {
  const ModelFile file;
  Localizer first = load(file);
  Localizer second = first.share();
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const auto other = test::image("image/other", 64, 128);
  const Fix expected = first.locate(GroundImage(ground), SatelliteImage(satellite));
  const Fix expected_other = first.locate(GroundImage(other), SatelliteImage(satellite));
  REQUIRE_FALSE(same(expected, expected_other));
  Fix a;
  Fix b;
  std::thread thread([&] {
    for (int i = 0; i < 8; ++i) second.locate({GroundImage(other), SatelliteImage(satellite)}, b);
  });
  for (int i = 0; i < 8; ++i) first.locate({GroundImage(ground), SatelliteImage(satellite)}, a);
  thread.join();
  CHECK(same(a, expected));
  CHECK(same(b, expected_other));

  std::vector<Fix> fixes;
  const std::vector<Pair> pairs{{GroundImage(ground), SatelliteImage(satellite)},
                                {GroundImage(other), SatelliteImage(satellite)}};
  first.locate(pairs, fixes);
  REQUIRE(fixes.size() == 2);
  CHECK(same(fixes[0], expected));
  CHECK(same(fixes[1], expected_other));
}

TEST_CASE("pairs are located the same in batches of any size", "[localizer]") {
  const ModelFile file;
  std::vector<Tensor<std::uint8_t, 3>> images;
  for (int i = 0; i < 7; ++i) {
    images.push_back(test::image("ground " + std::to_string(i), 64, 128));
    images.push_back(test::image("satellite " + std::to_string(i), 128, 128));
  }
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < images.size(); i += 2) {
    pairs.push_back({GroundImage(images[i]), SatelliteImage(images[i + 1])});
    pairs.back().tile.metres_per_pixel = i < 4 ? 0.285 : 0.2;  // the last five need a frame
    pairs.back().camera.heading_degrees = 45.0 * static_cast<double>(i);
  }
  Localizer one = load(file, true);
  CHECK(one.batch() == 1);
  std::vector<Fix> expected;
  one.locate(pairs, expected);
  REQUIRE(expected.size() == 7);
  for (const Index batch : {3, 7, 16}) {
    CAPTURE(batch);
    Localizer many = load(file, true, batch);
    CHECK(many.batch() == batch);
    Localizer shared = many.share();
    CHECK(shared.batch() == batch);
    std::vector<Fix> fixes;
    for (Localizer* localizer : {&many, &shared}) {
      localizer->locate(pairs, fixes);
      REQUIRE(fixes.size() == 7);
      for (std::size_t i = 0; i < 7; ++i) {
        CAPTURE(i);
        // Products over more rows may be summed in another order: 2e-5, as for the golden files.
        CHECK(test::relative_l2(fixes[i].logits, expected[i].logits) <= 2e-5);
        CHECK(test::relative_l2(fixes[i].offsets, expected[i].offsets) <= 2e-5);
        CHECK(fixes[i].cell == expected[i].cell);
        CHECK(fixes[i].window.height == expected[i].window.height);
        CHECK(*fixes[i].radius68_m == Approx(*expected[i].radius68_m).epsilon(1e-3));
      }
    }
    Fix alone;
    many.locate(pairs[4], alone);
    CHECK(test::relative_l2(alone.logits, expected[4].logits) <= 2e-5);
  }
}

TEST_CASE("a pair that does not fit is named before any is located", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file, false, 2);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const std::vector<Pair> pairs{{GroundImage(ground), SatelliteImage(satellite)},
                                {GroundImage(ground), SatelliteImage(satellite)},
                                {GroundImage(satellite), SatelliteImage(satellite)}};
  std::vector<Fix> fixes;
  CHECK_THROWS_AS(localizer.locate(pairs, fixes), ImageError);
  CHECK_THROWS_WITH(localizer.locate(pairs, fixes), Catch::StartsWith("pair 3 of 3: "));
  CHECK_THROWS_AS(localizer.check(pairs[2]), ImageError);
  CHECK_NOTHROW(localizer.check(pairs[1]));
  CHECK(fixes.empty());
  localizer.locate(std::span(pairs).first(2), fixes);
  REQUIRE(fixes.size() == 2);
  CHECK(same(fixes[0], fixes[1]));
  localizer.locate(std::span<const Pair>(), fixes);
  CHECK(fixes.empty());
  CHECK_THROWS_AS(load(file, false, 0), ShapeError);
  CHECK_THROWS_AS(load(file, false, -3), ShapeError);
}

TEST_CASE("after the first call locate allocates nothing on its own account", "[localizer]") {
  if (!test::allocations_are_counted()) {
    WARN("skipped: allocation counts: a sanitizer brings its own allocator");
    return;
  }
  const ModelFile file;
  const Precision best = cpu::supports_bf16() ? Precision::bf16 : Precision::f32;
  for (const Precision precision : {Precision::f32, best}) {
    Localizer localizer =
        Localizer::load(file.path(), {.device = Device::cpu, .precision = precision});
    // Larger than the inputs of the network, turned, and with known bounds, so that every step has
    // work to do.
    const auto satellite = test::image("image/satellite", 300, 300);
    const auto ground = test::image("image/ground", 200, 400);
    Pair pair{GroundImage(ground), SatelliteImage(satellite)};
    pair.tile.bounds = io::tile_bounds({-87.63, 41.88}, 300, 300);
    pair.camera.heading_degrees = 30;
    Fix fix;
    localizer.locate(pair, fix);
    const test::AllocationCounter counter;
    for (int i = 0; i < 3; ++i) localizer.locate(pair, fix);
    const test::AllocationCounts counts = counter.counts();
    CAPTURE(counts.library);
    CHECK(counts.own == 0);
  }
}

TEST_CASE("after the first call a batch allocates nothing either", "[localizer]") {
  if (!test::allocations_are_counted()) {
    WARN("skipped: allocation counts: a sanitizer brings its own allocator");
    return;
  }
  const ModelFile file;
  Localizer localizer = load(file, false, 3);
  const auto satellite = test::image("image/satellite", 300, 300);
  const auto ground = test::image("image/ground", 200, 400);
  std::vector<Pair> pairs(4, Pair{GroundImage(ground), SatelliteImage(satellite)});
  for (Pair& pair : pairs) pair.camera.heading_degrees = 30;
  std::vector<Fix> fixes;
  localizer.locate(pairs, fixes);
  const test::AllocationCounter counter;
  localizer.locate(pairs, fixes);
  CHECK(counter.counts().own == 0);
}

TEST_CASE("images the weights do not expect are refused", "[localizer]") {
  const ModelFile file;
  Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  CHECK_THROWS_AS(
      localizer.locate(GroundImage(test::image("p", 96, 128)), SatelliteImage(satellite)),
      ImageError);
  CHECK_THROWS_AS(localizer.locate(GroundImage(ground), SatelliteImage(test::image("s", 96, 128))),
                  ImageError);
  CHECK_THROWS_AS(localizer.locate(GroundImage(), SatelliteImage(satellite)), ImageError);
  TileInfo info;
  info.metres_per_pixel = -1;
  CHECK_THROWS_AS(localizer.locate(GroundImage(ground), SatelliteImage(satellite), info),
                  ImageError);
  for (const double heading : {std::numeric_limits<double>::quiet_NaN(), 1e300, -1e11}) {
    CHECK_THROWS_AS(localizer.locate(GroundImage(ground), SatelliteImage(satellite), {},
                                     {.heading_degrees = heading}),
                    ImageError);
  }

  auto pinhole = test::tiny_configuration();
  pinhole.ground_projection = model::GroundProjection::pinhole;
  const ModelFile pinhole_file(pinhole);
  Localizer front = load(pinhole_file);
  CHECK_NOTHROW(front.locate(GroundImage(test::image("p", 96, 128)), SatelliteImage(satellite)));
  CHECK_THROWS_AS(
      front.locate(GroundImage(ground), SatelliteImage(satellite), {}, {.heading_degrees = 5}),
      ImageError);
}

TEST_CASE("a tile's scale has two ends, given or by its bounds", "[localizer]") {
  const ModelFile file;
  const Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const auto check = [&](const TileInfo& info) {
    localizer.check({GroundImage(ground), SatelliteImage(satellite), info});
  };
  for (const double scale : {0.0, 1e-9, 0.0009, 101.0, 1e9, 1e300}) {
    CAPTURE(scale);
    CHECK_THROWS_WITH(check({.metres_per_pixel = scale}),
                      Catch::Contains("0.001 to 100 metres per pixel"));
  }
  CHECK_NOTHROW(check({.metres_per_pixel = 0.001}));
  CHECK_NOTHROW(check({.metres_per_pixel = 100}));
  TileInfo bounded;
  bounded.bounds = io::tile_bounds({8, 50}, 128, 128, 9);
  CHECK_THROWS_WITH(check(bounded), Catch::Contains("0.001 to 100 metres per pixel"));
  const GeoBounds right = io::tile_bounds({13.4, 52.5}, 128, 128);
  bounded.bounds = GeoBounds{right.south, right.west, right.north, right.east};
  CHECK_THROWS_WITH(check(bounded), Catch::Contains("latitude and longitude swapped"));
  // With the two swapped, these would be square too: of another country.
  for (const GeoBounds& degrees :
       {GeoBounds{13.4, 52.5, 13.400645, 52.500645}, GeoBounds{-3.2, 55.9, -3.1993, 55.90071}}) {
    bounded.bounds = degrees;
    CHECK_THROWS_WITH(check(bounded), Catch::Contains("square in degrees (EPSG:4326)") &&
                                          !Catch::Contains("swapped"));
  }
}

TEST_CASE("images of too few pixels are refused, of few doubted", "[localizer]") {
  const ModelFile file;
  const Localizer localizer = load(file);
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  for (const Index side : {1, 8, 15}) {
    CAPTURE(side);
    const auto tile = test::image("tile", side, side);
    CHECK_THROWS_WITH(localizer.check({GroundImage(ground), SatelliteImage(tile)}),
                      Catch::Contains("the network's input has 128x128"));
  }
  const auto speck = test::image("speck", 7, 14);
  CHECK_THROWS_WITH(localizer.check({GroundImage(speck), SatelliteImage(satellite)}),
                    Catch::Contains("14x7") && Catch::Contains("128x64"));
  const auto few = test::image("few", 16, 32);
  const auto small = test::image("small", 32, 32);
  const Pair doubtful{GroundImage(few), SatelliteImage(small)};
  CHECK_NOTHROW(localizer.check(doubtful));
  const ImageDoubts doubts = localizer.doubts(doubtful);
  CHECK(doubts.ground.value().starts_with("32x16 pixels are enlarged 4 times"));
  CHECK(doubts.satellite.value().starts_with("32x32 pixels are enlarged 4 times"));
  const ImageDoubts none = localizer.doubts({GroundImage(ground), SatelliteImage(satellite)});
  CHECK_FALSE(none.ground);
  CHECK_FALSE(none.satellite);
}

TEST_CASE("devices and precisions that are not there are refused", "[localizer]") {
  const ModelFile file;
  CHECK_THROWS_AS(Localizer::load(file.path(), {.device = Device::cuda}), DeviceError);
  CHECK_THROWS_AS(Localizer::load(file.path(), {.precision = Precision::f16}), DeviceError);
  CHECK_THROWS_AS(Localizer::load("no-such-file.safetensors"), WeightsError);
  const Localizer best = Localizer::load(file.path(), {.precision = Precision::automatic});
  CHECK(best.precision() == (cpu::supports_bf16() ? Precision::bf16 : Precision::f32));
  CHECK(best.device() == Device::cpu);
}

TEST_CASE("a small file that asks for much memory is refused before it is taken", "[localizer]") {
  model::Configuration c = test::tiny_configuration();
  c.model_width = 8;
  c.satellite_size = 2048;
  c.grid = 256;
  c.ffn_width = 16384;  // 65536 tokens of it
  const ModelFile file(c);
  CHECK(std::filesystem::file_size(file.path()) < 4000000);
  for (const Index batch : {1, 3}) {
    CHECK_THAT(
        test::message_of<WeightsError>([&] { Localizer::load(file.path(), {.batch = batch}); }),
        Catch::Contains("MiB of memory for a batch of " + std::to_string(batch)) &&
            Catch::Contains("at most 2048 MiB a pair"));
  }
}

TEST_CASE("weights that are not the configuration's are refused by name", "[localizer]") {
  const auto configuration = test::tiny_configuration();
  const auto path = std::filesystem::temp_directory_path() /
                    ("crossfix-broken-" + std::to_string(::getpid()) + ".safetensors");
  test::GeneratedModel model(configuration);
  const auto fails_with = [&](const std::string& words) {
    model.write(path, configuration);
    CHECK_THROWS_WITH(Localizer::load(path, {.device = Device::cpu}), Catch::Contains(words));
    std::filesystem::remove(path);
  };
  SECTION("missing") {
    model.records.erase("sat_proj.bias");
    fails_with("'sat_proj.bias' is missing");
  }
  SECTION("wrong shape") {
    model.records["sat_proj.bias"].shape = {32};
    fails_with("'sat_proj.bias' has shape [32], the configuration asks for [64]");
  }
  SECTION("not a number") {
    model.values["location_head.layers.0.weight"][3] = std::numeric_limits<float>::quiet_NaN();
    fails_with("'location_head.layers.0.weight' holds nan at element 3");
  }
  SECTION("negative variance") {
    model.values["sat_extractor.bn1.running_var"][1] = -1;
    fails_with("'sat_extractor.bn1.running_var' holds -1");
  }
}

TEST_CASE("noise and an even shade are no content, a dark scene is") {
  const auto content_of_each = [](const std::function<double(Index, Index)>& level) {
    Tensor<std::uint8_t, 3> picture({200, 300, 3});
    for (Index i = 0; i < picture.size(); ++i) {
      const double value = level(i / 3 / 300, i / 3 % 300);
      picture.data()[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
    }
    return content_of(picture);
  };
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 1);
  const auto scene = test::image("content", 200, 300);
  const auto seen = [&](Index r, Index c) { return static_cast<double>(scene(r, c, 0)); };
  for (const double deviation : {0.0, 3.0, 12.0, 30.0}) {
    CAPTURE(deviation);
    CHECK(content_of_each([&](Index, Index) { return 128 + deviation * noise(random); }) < 0.05);
    CHECK(content_of_each([&](Index r, Index c) {
            return 60 + 0.3 * static_cast<double>(r + c) + deviation * noise(random);
          }) < 0.05);
  }
  CHECK(content_of_each(seen) > 0.9);
  CHECK(content_of_each([&](Index r, Index c) { return 0.08 * seen(r, c); }) > 0.5);
  // Fog, and a noise of the same size.
  CHECK(content_of_each(
            [&](Index r, Index c) { return 150 + 0.1 * seen(r, c) + 5 * noise(random); }) > 0.5);
  // A patch over the left half, of noise or of none.
  for (const double deviation : {0.0, 12.0}) {
    CHECK(content_of_each([&](Index r, Index c) {
            return c < 150 ? 128 + deviation * noise(random) : seen(r, c);
          }) == Approx(0.5).margin(0.06));
  }
}

TEST_CASE("a network's pair of which one image shows nothing gets an even posterior") {
  const ModelFile file;
  Localizer localizer = load(file, false, 3);
  const auto& configuration = localizer.configuration();
  const auto ground = test::image("blank/ground", 128, 256);
  const auto tile = test::image("blank/tile", 96, 96);
  Tensor<std::uint8_t, 3> grey({96, 96, 3});
  for (Index i = 0; i < grey.size(); ++i) {  // with noise
    grey.data()[i] = static_cast<std::uint8_t>(120 + i % 7);
  }
  const Pair sound{GroundImage(ground), SatelliteImage(tile), {.metres_per_pixel = 0.5}};
  const Pair blank{GroundImage(ground), SatelliteImage(grey), {.metres_per_pixel = 0.5}};
  std::vector<Fix> fixes;
  localizer.locate(std::vector<Pair>{sound, blank, sound}, fixes);
  CHECK(same(fixes[0], fixes[2]));
  CHECK(same(fixes[0], localizer.locate(sound.ground, sound.satellite, sound.tile)));
  REQUIRE(fixes[0].nowhere);
  CHECK(*fixes[0].nowhere > 0);
  CHECK(*fixes[0].nowhere < 1);
  CHECK(fixes[1].blank_satellite);
  CHECK(fixes[1].nowhere == 1.0);
  CHECK(fixes[1].grid == configuration.grid);
  CHECK(fixes[1].radius68_m == Approx(0.4652 * 48).epsilon(1e-3));
  CHECK(fixes[1].probability.front() ==
        Approx(1.0 / static_cast<double>(fixes[1].grid * fixes[1].grid)));
}
