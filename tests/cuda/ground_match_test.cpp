#include <catch2/catch.hpp>
#include <cmath>
#include <optional>

#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/localizer.hpp"
#include "cuda/subject.hpp"
#include "io/files.hpp"
#include "support/counter_generator.hpp"
#include "support/golden.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;

namespace {

/// The bundled weights with few headings and little ground, so that an emulated device is fast too.
class SmallMatcher {
 public:
  SmallMatcher() {
    const auto bundled =
        io::Safetensors::open(test::source_folder() / "models/crossfix-ground.safetensors");
    auto configuration = io::read_configuration(bundled);
    configuration.ground_match.farthest = 4;
    configuration.ground_match.headings = 4;
    configuration.ground_match.ratios = 2;
    io::write_safetensors(path_, bundled.tensors(),
                          {{io::kConfigurationKey, io::to_json(configuration)}});
  }
  Localizer load(Device device, Precision precision = Precision::f32) const {
    return Localizer::load(
        path_, {.device = device, .precision = precision, .threads = 1, .pose_probability = true});
  }

 private:
  test::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "weights.safetensors";
};

}  // namespace

TEST_CASE("the matcher on a GPU scores as the one on the CPU does", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const SmallMatcher matcher;
  Localizer reference = matcher.load(Device::cpu);
  Localizer localizer = matcher.load(Device::cuda);
  CHECK(localizer.device() == Device::cuda);
  Localizer other = localizer.share();
  const auto panorama = test::image("ground/panorama", 32, 64);
  for (const Index side : {80, 101}) {
    const auto tile = test::image("ground/tile", side, side);
    for (const std::optional<double> heading : {std::optional(30.0), std::optional<double>()}) {
      CAPTURE(side, heading.has_value());
      const TileInfo info{.metres_per_pixel = 0.2};
      const Fix expected =
          reference.locate(GroundImage(panorama), SatelliteImage(tile), info, {heading});
      for (Localizer* each : {&localizer, &other}) {
        const Fix fix = each->locate(GroundImage(panorama), SatelliteImage(tile), info, {heading});
        CHECK(fix.grid == expected.grid);
        CHECK(test::relative_l2(fix.logits, expected.logits) <= 2e-5);
        CHECK(test::relative_l2(fix.probability, expected.probability) <= 1e-3);
        CHECK(test::relative_l2(fix.pose_probability, expected.pose_probability) <= 1e-3);
        CHECK(fix.heading_probability.size() == expected.heading_probability.size());
        CHECK(std::abs(fix.heading_degrees.value() - expected.heading_degrees.value()) <= 0.1);
        CHECK(fix.window.row == expected.window.row);
        REQUIRE(fix.hypotheses.size() == expected.hypotheses.size());
        for (std::size_t i = 0; i < fix.hypotheses.size(); ++i) {
          const Hypothesis& found = fix.hypotheses[i];
          const Hypothesis& wanted = expected.hypotheses[i];
          CHECK(std::abs(found.share - wanted.share) <= 1e-3);
          CHECK(std::abs(found.pixel.row - wanted.pixel.row) <= 0.05);
          CHECK(std::abs(found.pixel.col - wanted.pixel.col) <= 0.05);
          CHECK(std::abs(found.heading_degrees.value() - wanted.heading_degrees.value()) <= 0.1);
        }
        for (std::size_t i = 0; i < 3; ++i) {
          // Of deviations of up to 80 px and 100 degrees.
          CHECK(std::abs(fix.heading_covariance[i] - expected.heading_covariance[i]) <= 8);
          CHECK((fix.heading_covariance[i] == 0) == heading.has_value());
        }
      }
    }
  }
}

TEST_CASE("the matcher on a GPU takes 16-bit floats, and no images in the GPU's memory", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const SmallMatcher matcher;
  const auto panorama = test::image("ground/panorama", 32, 64);
  const auto tile = test::image("ground/tile", 80, 80);
  const TileInfo info{.metres_per_pixel = 0.2};
  const Fix expected =
      matcher.load(Device::cpu).locate(GroundImage(panorama), SatelliteImage(tile), info);
  for (const Precision precision : {Precision::bf16, Precision::f16}) {
    Localizer localizer = matcher.load(Device::cuda, precision);
    CHECK(localizer.precision() == precision);
    const Fix fix = localizer.locate(GroundImage(panorama), SatelliteImage(tile), info);
    CHECK(test::relative_l2(fix.logits, expected.logits) <= 2e-2);
    CHECK_THROWS_AS(localizer.locate(DeviceGroundImage({panorama.data(), panorama.shape()}),
                                     DeviceSatelliteImage({tile.data(), tile.shape()}), info),
                    DeviceError);
  }
}
