#include <catch2/catch.hpp>
#include <string>

#include "crossfix/cuda/buffer.hpp"
#include "crossfix/localizer.hpp"
#include "fake.hpp"
#include "support/golden.hpp"
#include "support/model_files.hpp"

using namespace crossfix;
using test::ModelFile;

namespace {

constexpr LocalizerOptions kOnGpu{.device = Device::cuda, .precision = Precision::bf16};

/// The images of a pair, of a size that needs resizing.
struct Images {
  Tensor<std::uint8_t, 3> ground = test::image("image/ground", 70, 140);
  Tensor<std::uint8_t, 3> satellite = test::image("image/satellite", 150, 150);
};

}  // namespace

TEST_CASE("every allocation may fail: an error, nothing left behind, all well afterwards",
          "[cuda]") {
  const ModelFile file;
  const Images images;
  const auto load = [&] { return Localizer::load(file.path(), kOnGpu); };

  SECTION("while loading") {
    const std::size_t before = fake::counts().allocations;
    static_cast<void>(load());
    const std::size_t needed = fake::counts().allocations - before;
    REQUIRE(needed > 50);
    for (std::size_t n = 1; n <= needed; ++n) {
      CAPTURE(n, needed);
      fake::fail_allocation(n);
      REQUIRE_THROWS_AS(load(), DeviceError);
      REQUIRE(fake::counts().nothing_alive());
    }
  }
  SECTION("while locating for the first time") {
    Localizer whole = load();
    std::size_t before = fake::counts().allocations;
    const Fix expected = whole.locate(GroundImage(images.ground), SatelliteImage(images.satellite));
    const std::size_t needed = fake::counts().allocations - before;
    REQUIRE(needed > 2);
    for (std::size_t n = 1; n <= needed; ++n) {
      CAPTURE(n, needed);
      Localizer localizer = whole.share();
      fake::fail_allocation(n);
      REQUIRE_THROWS_AS(
          localizer.locate(GroundImage(images.ground), SatelliteImage(images.satellite)),
          DeviceError);
      CHECK(localizer.locate(GroundImage(images.ground), SatelliteImage(images.satellite)).logits ==
            expected.logits);
    }
  }
  SECTION("while an image is larger than those before") {
    Localizer localizer = load();
    const Fix expected =
        localizer.locate(GroundImage(images.ground), SatelliteImage(images.satellite));
    const auto ground = test::image("image/ground", 300, 600);
    const auto satellite = test::image("image/satellite", 400, 400);
    std::size_t refused = 0;
    for (bool located = false; !located; ++refused) {
      CAPTURE(refused);
      fake::fail_allocation(1 + refused % 2);
      try {
        static_cast<void>(localizer.locate(GroundImage(ground), SatelliteImage(satellite)));
        located = true;
      } catch (const DeviceError&) {
        CHECK(
            localizer.locate(GroundImage(images.ground), SatelliteImage(images.satellite)).logits ==
            expected.logits);
      }
      REQUIRE(refused < 100);
    }
    CHECK(refused > 2);
  }
  SECTION("while sharing") {
    const Localizer whole = load();
    std::size_t before = fake::counts().allocations;
    static_cast<void>(whole.share());
    const std::size_t needed = fake::counts().allocations - before;
    const std::size_t alive = fake::counts().device_allocations;
    for (std::size_t n = 1; n <= needed; ++n) {
      CAPTURE(n, needed);
      fake::fail_allocation(n);
      REQUIRE_THROWS_AS(whole.share(), DeviceError);
      REQUIRE(fake::counts().device_allocations == alive);
    }
  }
  fake::fail_allocation(0);
  CHECK(fake::counts().nothing_alive());
}

TEST_CASE("after the first pass a locate is one launch, and takes no memory", "[cuda]") {
  const ModelFile file;
  const Images images;
  Localizer localizer = Localizer::load(file.path(), kOnGpu);
  Fix fix;
  const Pair pair{.ground = GroundImage(images.ground),
                  .satellite = SatelliteImage(images.satellite)};
  localizer.locate(pair, fix);
  const auto device = [](const Tensor<std::uint8_t, 3>& image, const cuda::DeviceBuffer& buffer) {
    return DeviceImageView(reinterpret_cast<const std::uint8_t*>(buffer.data()), image.shape());
  };
  const cuda::Target target{cuda::Device()};
  const auto size = [](const auto& image) { return static_cast<std::size_t>(image.size()); };
  const auto ground = cuda::upload(target, images.ground.data(), size(images.ground));
  const auto satellite = cuda::upload(target, images.satellite.data(), size(images.satellite));
  const DevicePair in_place{.ground = DeviceGroundImage(device(images.ground, ground)),
                            .satellite = DeviceSatelliteImage(device(images.satellite, satellite))};
  const fake::Counts before = fake::counts();
  localizer.locate(in_place, fix);
  const fake::Counts after = fake::counts();
  CHECK(after.allocations == before.allocations);
  CHECK(after.launches == before.launches + 1);
  CHECK(after.graph_launches == before.graph_launches + 1);
}

TEST_CASE("a localizer asks for the GPU it is told to, or takes the CPU where any will do",
          "[cuda]") {
  const ModelFile file;
  const auto load = [&](Device device, int gpu) {
    return Localizer::load(file.path(), {.device = device, .gpu = gpu});
  };
  CHECK(load(Device::automatic, 0).device() == Device::cuda);
  CHECK(load(Device::cpu, 0).device() == Device::cpu);
  CHECK_THROWS_AS(load(Device::cuda, 1), DeviceError);
  {
    fake::Machine machine;
    machine.gpus.push_back({.name = "second"});
    const fake::MachineScope scope(machine);
    Localizer second = load(Device::cuda, 1);
    CHECK_THAT(second.description(), Catch::Matchers::StartsWith("GPU 1 (second)"));
    const Images images;
    CHECK(
        second.locate(GroundImage(images.ground), SatelliteImage(images.satellite)).logits.size() ==
        64);
  }
  fake::Machine machine;
  machine.driver = 0;
  const fake::MachineScope scope(machine);
  CHECK(load(Device::automatic, 0).device() == Device::cpu);
  CHECK_THROWS_AS(load(Device::cuda, 0), DeviceError);
  CHECK(fake::counts().nothing_alive());
}
