#include "crossfix/localizer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

#include "cuda/subject.hpp"
#include "support/golden.hpp"
#include "support/model_files.hpp"

using namespace crossfix;
using test::ModelFile;

namespace {

Localizer load(const ModelFile& file, Device device, Index batch = 1) {
  return Localizer::load(
      file.path(), {.device = device, .precision = Precision::f32, .threads = 1, .batch = batch});
}

/// An image of a pair, of any size.
struct Picture {
  Tensor<std::uint8_t, 3> ground;
  Tensor<std::uint8_t, 3> satellite;

  Picture(const std::string& key, Index ground_height, Index side)
      : ground(test::image("ground/" + key, ground_height, 2 * ground_height)),
        satellite(test::image("satellite/" + key, side, side)) {}
  Pair pair() const {
    return {.ground = GroundImage(ground), .satellite = SatelliteImage(satellite)};
  }
};

/// f32 on two devices: sums in another order differ by about 2e-5 of the outputs after eighty
/// layers.
bool close(const Fix& a, const Fix& b) {
  return test::relative_l2(a.logits, b.logits) <= 4e-5 &&
         test::relative_l2(a.offsets, b.offsets) <= 4e-5 &&
         test::relative_l2(a.probability, b.probability) <= 1e-3 &&
         std::abs(a.radius68_px - b.radius68_px) <= 1e-2 * b.radius68_px && a.cell == b.cell &&
         std::abs(a.pixel.row - b.pixel.row) <= 1e-2 && std::abs(a.pixel.col - b.pixel.col) <= 1e-2;
}

}  // namespace

TEST_CASE("a localizer on a GPU gives the golden network's fix, and says where it runs", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const ModelFile file;
  Localizer localizer = load(file, Device::cuda);
  CHECK(localizer.device() == Device::cuda);
  CHECK(localizer.precision() == Precision::f32);
  CHECK_THAT(localizer.description(), Catch::Matchers::StartsWith("GPU 0 ("));
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const test::Golden golden("tiny");
  for (int pass = 0; pass < 3; ++pass) {  // run, and recorded
    const Fix fix = localizer.locate(GroundImage(ground), SatelliteImage(satellite));
    CHECK(golden.error("logits", fix.logits) <= 4e-5);
    CHECK(golden.error("offsets", fix.offsets) <= 4e-5);
  }
}

TEST_CASE("one recorded pass takes images of every size, in full and in part batches", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const ModelFile file;
  Localizer reference = load(file, Device::cpu);
  Localizer localizer = load(file, Device::cuda, 3);
  const Picture pictures[] = {{"a", 64, 128}, {"b", 100, 250}, {"c", 31, 90},
                              {"d", 200, 60}, {"e", 64, 128},  {"f", 100, 129}};
  std::vector<Pair> pairs;
  for (const Picture& picture : pictures) pairs.push_back(picture.pair());
  const auto agree = [&](const std::vector<Pair>& some) {
    std::vector<Fix> fixes;
    localizer.locate(some, fixes);
    for (std::size_t i = 0; i < some.size(); ++i) {
      CAPTURE(i, some.size());
      Fix expected;
      reference.locate(some[i], expected);
      CHECK(close(fixes[i], expected));
    }
  };
  agree({pairs[0]});  // the first one: slots that never held a pair
  agree(pairs);
  std::reverse(pairs.begin(), pairs.end());
  pairs.pop_back();
  agree(pairs);
  agree({pairs[2]});

  // Rows of an image may have any stride.
  const Picture wide("wide", 64, 200);
  const HostImageView window = wide.satellite.view().slice(0, 20, 150).slice(1, 30, 160);
  agree({{.ground = GroundImage(wide.ground), .satellite = SatelliteImage(window)}});
}

TEST_CASE("images in the GPU's memory are located where they lie", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const ModelFile file;
  Localizer localizer = load(file, Device::cuda);
  const Picture picture("a", 80, 150);
  const Fix expected =
      localizer.locate(GroundImage(picture.ground), SatelliteImage(picture.satellite));
  const Picture other("b", 80, 150);  // of the same size, in memory of the localizer
  REQUIRE(localizer.locate(GroundImage(other.ground), SatelliteImage(other.satellite)).logits !=
          expected.logits);

  const cuda::Target target = test::first_gpu();
  const auto ground =
      cuda::upload(target, picture.ground.data(), static_cast<std::size_t>(picture.ground.size()));
  const auto satellite = cuda::upload(target, picture.satellite.data(),
                                      static_cast<std::size_t>(picture.satellite.size()));
  const DevicePair pair{
      .ground = DeviceGroundImage(
          {reinterpret_cast<const std::uint8_t*>(ground.data()), picture.ground.shape()}),
      .satellite = DeviceSatelliteImage(
          {reinterpret_cast<const std::uint8_t*>(satellite.data()), picture.satellite.shape()})};
  Fix fix;
  localizer.locate(pair, fix);
  CHECK(fix.logits == expected.logits);
  CHECK(fix.pixel.row == expected.pixel.row);
  std::vector<Fix> fixes;
  localizer.locate(std::vector<DevicePair>{pair, pair}, fixes);
  CHECK(fixes.at(1).logits == expected.logits);

  // A host address passed as one of the device.
  const DevicePair astray{
      .ground = pair.ground,
      .satellite = DeviceSatelliteImage({picture.satellite.data(), picture.satellite.shape()})};
  CHECK_THROWS_AS(localizer.locate(astray, fix), DeviceError);
  DevicePair rolled = pair;
  rolled.camera.heading_degrees = 30;
  CHECK_THROWS_AS(localizer.locate(rolled, fix), ImageError);
  localizer.locate(pair, fix);  // still usable
  CHECK(fix.logits == expected.logits);

  Localizer on_cpu = load(file, Device::cpu);
  CHECK_THROWS_AS(on_cpu.locate(pair, fix), DeviceError);
}

TEST_CASE("localizers that share weights run on their own, at once", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const ModelFile file;
  Localizer first = load(file, Device::cuda);
  const Picture pictures[] = {{"a", 64, 128}, {"b", 90, 140}, {"c", 70, 100}};
  std::vector<Fix> expected;
  for (const Picture& picture : pictures) {
    expected.push_back(
        first.locate(GroundImage(picture.ground), SatelliteImage(picture.satellite)));
  }
  std::vector<std::thread> threads;
  std::vector<int> right(3);
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t, localizer = first.share()]() mutable {
      for (int pass = 0; pass < 3; ++pass) {
        const Fix fix = localizer.locate(GroundImage(pictures[t].ground),
                                         SatelliteImage(pictures[t].satellite));
        right[t] += fix.logits == expected[t].logits ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>{3, 3, 3});
}

TEST_CASE("a GPU takes every precision", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const ModelFile file;
  const auto satellite = test::image("image/satellite", 128, 128);
  const auto ground = test::image("image/ground", 64, 128);
  const test::Golden golden("tiny");
  const auto precision_of = [&](Precision asked) {
    Localizer localizer =
        Localizer::load(file.path(), {.device = Device::cuda, .precision = asked});
    CHECK(golden.error("logits",
                       localizer.locate(GroundImage(ground), SatelliteImage(satellite)).logits) <=
          4e-2);
    return localizer.precision();
  };
  CHECK(precision_of(Precision::f16) == Precision::f16);
  CHECK(precision_of(Precision::bf16) == Precision::bf16);
  CHECK(precision_of(Precision::automatic) == Precision::bf16);
}
