#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "cuda/device_tensor.hpp"
#include "cuda/subject.hpp"
#include "fake.hpp"

namespace crossfix::test {
namespace {

using Catch::Matchers::Contains;

fake::Machine with_gpus(std::vector<fake::Gpu> gpus) {
  fake::Machine machine;
  machine.gpus = std::move(gpus);
  return machine;
}

}  // namespace

TEST_CASE("a device that cannot be used is refused with what would be right", "[cuda]") {
  const auto refused = [](const fake::Machine& machine, int ordinal, const auto& message) {
    const fake::MachineScope scope(machine);
    CHECK_THROWS_AS(cuda::Device(ordinal), DeviceError);
    CHECK_THROWS_WITH(cuda::Device(ordinal), message);
  };
  fake::Machine machine;
  machine.driver = 0;
  refused(machine, 0, Contains("no NVIDIA driver"));
  machine.driver = 12020;
  refused(machine, 0, Contains("for CUDA 12.2, too old"));
  refused(with_gpus({}), 0, Contains("no NVIDIA GPU"));
  refused(with_gpus({{.name = "Tesla V100", .compute_capability = 70}}), 0,
          Contains("Tesla V100") && Contains("7.0"));
  refused(with_gpus({fake::Gpu{}}), 1, Contains("GPU 1 asked for; this machine has 1"));
  refused(with_gpus({fake::Gpu{}}), -1, Contains("GPU -1 asked for"));
}

TEST_CASE("memory on a device is refused with how much was asked for", "[cuda]") {
  {
    const fake::MachineScope scope(with_gpus({{.name = "small", .memory_bytes = 1000}}));
    const cuda::Target target = first_gpu();
    CHECK_THROWS_WITH(cuda::DeviceBuffer(target, 123456),
                      Contains("123456 bytes") && Contains("small") && Contains("1000 free"));
    CHECK(cuda::DeviceBuffer(target, 500).size() == 500);
  }
  CHECK(fake::counts().nothing_alive());
}

TEST_CASE("work goes to the target's device, whichever is current", "[cuda]") {
  const fake::MachineScope scope(with_gpus({fake::Gpu{}, {.name = "second"}}));
  {
    const cuda::Target second(cuda::Device(1));
    CHECK(second.device().description() == "GPU 1 (second)");
    cuda::Context context(second, 0);
    const float host[] = {1, 2, 3, 4};
    const cuda::DeviceBuffer buffer = cuda::upload(second, host, sizeof(host));
    CHECK_NOTHROW(cuda::expect_on_device(second, "it", buffer.data()));
    const cuda::Target first = first_gpu();
    CHECK_THROWS_WITH(cuda::expect_on_device(first, "the tile", buffer.data()),
                      Contains("the tile is not in the memory of GPU 0"));
    CHECK_THROWS_AS(cuda::expect_on_device(first, "the tile", host), DeviceError);
    const TensorView<const float, 2, DeviceSpace> view(
        reinterpret_cast<const float*>(buffer.data()), {2, 2});
    float read[4] = {};
    cuda::read<float>(context, view, read);
    CHECK(read[3] == 4);
  }
  CHECK(fake::counts().nothing_alive());
}

TEST_CASE("views that begin where the libraries cannot load are refused", "[cuda]") {
  {
    const cuda::Target target = first_gpu();
    const Tensor<float, 2> square({16, 16});
    const cuda::Linear<bfloat16> linear(target, {.rows = 3, .in_features = 16, .out_features = 16},
                                        square, Tensor<float, 2>({1, 16}));
    const cuda::Convolution<bfloat16> convolution(target, {.in_channels = 16, .out_channels = 16},
                                                  square.view().reshape<4>({16, 16, 1, 1}),
                                                  Tensor<float, 1>({16}), {1, 1, 3, 16});
    cuda::Context context(target, std::max(linear.scratch_bytes(), convolution.scratch_bytes()));
    const DeviceTensor<bfloat16, 2> x(target, Shape<2>{3, 64});
    const DeviceTensor<bfloat16, 2> y(target, Shape<2>{4, 16});
    const auto part = [&](Index first) { return x.view().slice(1, first, first + 16); };
    const auto out = y.view().slice(0, 0, 3);
    CHECK_NOTHROW(linear(context, part(8), out));
    CHECK_THROWS_AS(linear(context, part(4), out), ShapeError);
    const auto images = [](bfloat16* data) {
      return TensorView<bfloat16, 4, DeviceSpace>(data, {1, 1, 3, 16});
    };
    CHECK_NOTHROW(convolution(context, images(y.view().data() + 8), images(x.view().data())));
    CHECK_THROWS_AS(convolution(context, images(y.view().data() + 4), images(x.view().data())),
                    ShapeError);
  }
  CHECK(fake::counts().nothing_alive());
}

TEST_CASE("staged copies keep their order and their caller's memory apart", "[cuda]") {
  {
    const cuda::Target target = first_gpu();
    cuda::Staging staging(target);
    cuda::Context context(target, 0);
    // Rows with gaps, more than two pieces of them.
    const Index rows = 1001;
    const Index columns = 1500;
    const Index stride = 1600;
    std::vector<float> host(static_cast<std::size_t>(rows * stride));
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<float>(i);
    const cuda::DeviceBuffer buffer(target, static_cast<std::size_t>(rows * columns) * 4);
    staging.copy(buffer.data(), host.data(), static_cast<std::size_t>(rows), 4 * columns,
                 4 * stride);
    std::fill(host.begin(), host.end(), -1.0F);
    std::vector<float> read(static_cast<std::size_t>(rows * columns));
    cuda::read<float>(context, {reinterpret_cast<const float*>(buffer.data()), {rows, columns}},
                      read.data());
    bool same = true;
    for (Index i = 0; i < rows * columns; ++i) {
      const Index at = i / columns * stride + i % columns;
      same = same && read[static_cast<std::size_t>(i)] == static_cast<float>(at);
    }
    CHECK(same);
  }
  CHECK(fake::counts().nothing_alive());
}

}  // namespace crossfix::test
