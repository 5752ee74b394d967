#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "cuda/subject.hpp"
#include "model/baseline_golden.hpp"
#include "model/network_golden.hpp"

namespace crossfix::test {
namespace {

/// A small network, with everything that one pass of it needs.
template <class Element>
struct Tiny {
  using Network = model::Network<cuda::Backend<Element>>;

  explicit Tiny(const cuda::Target& on)
      : target(on),
        network(target, generated_parameters(), tiny_configuration(), 1),
        work(network, target),
        outputs(static_cast<std::size_t>(network.output_count())) {}

  void run() {
    network.load_satellite(work, 0, image("image/satellite", 128, 128));
    network.load_ground(work, 0, image("image/ground", 64, 128));
    network.run(work);
    network.read(work, outputs.data());
  }

  cuda::Target target;
  Network network;
  typename Network::Workspace work;
  std::vector<float> outputs;
};

}  // namespace

TEMPLATE_TEST_CASE("a small network on CUDA equals the reference in PyTorch", "[cuda][golden]",
                   float, bfloat16, float16) {
  CROSSFIX_NEED_GPU;
  check_golden<CudaSubject<TestType>>(golden_tiny(), 1);
  check_golden<CudaSubject<TestType>>(golden_tiny(), 3);
}

TEMPLATE_TEST_CASE("small baselines on CUDA equal their twins in PyTorch", "[cuda][golden]", float,
                   bfloat16, float16) {
  CROSSFIX_NEED_GPU;
  check_baselines<CudaSubject<TestType>>(1);
}

TEST_CASE("Device memory that runs out leaves nothing behind, and can be asked again", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const cuda::Device device;
  const auto memory = std::make_shared<CountingMemory>(device);
  const cuda::Target target(device, memory);
  std::size_t needed = 0;
  {
    Tiny<bfloat16> tiny(target);
    tiny.run();
    needed = memory->allocations();
  }
  REQUIRE(memory->alive() == 0);
  REQUIRE(needed > 50);
  for (std::size_t n = 1; n <= needed; ++n) {
    CAPTURE(n, needed);
    memory->fail(n);
    const auto make_and_run = [&] { Tiny<bfloat16>(target).run(); };
    REQUIRE_THROWS_AS(make_and_run(), DeviceError);
    REQUIRE(memory->alive() == 0);
  }
  memory->fail(0);
  Tiny<bfloat16> tiny(target);
  tiny.run();
  CHECK(std::isfinite(tiny.outputs[0]));
}

TEST_CASE("After the first pass a network takes no more device memory", "[cuda]") {
  CROSSFIX_NEED_GPU;
  const cuda::Device device;
  const auto memory = std::make_shared<CountingMemory>(device);
  Tiny<bfloat16> tiny(cuda::Target(device, memory));
  tiny.run();
  const std::size_t before = memory->allocations();
  tiny.run();
  CHECK(memory->allocations() == before);
}

}  // namespace crossfix::test
