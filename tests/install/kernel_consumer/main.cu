#include <cmath>
#include <crossfix/core/dtype.hpp>
#include <crossfix/kernels/attention/ampere_launch.cuh>
#include <crossfix/kernels/attention/hopper_launch.cuh>
#include <crossfix/kernels/softmax/softmax.cuh>
#include <cstdio>

// The installed device code, compiled here with what the library itself does not have: a head
// dimension of 40, Hopper blocks of 64 keys at a time, and a softmax of rows of 40 columns. It runs
// if there is a GPU.
namespace {

using crossfix::float16;
using namespace crossfix::kernels;

constexpr int kTokens = 150;
constexpr int kHeads = 2;

constexpr AmpereTile kOwn{
    .dim = 64, .warps = 2, .row_tiles = 2, .keys = 32, .blocks = 3, .keeps_queries = true};
constexpr HopperTile kOwnHopper{.dim = 64,
                                .consumers = 2,
                                .keys = 64,
                                .stages = 3,
                                .overlap = true,
                                .loader_registers = 24,
                                .consumer_registers = 240};

void check(cudaError_t status) {
  if (status != cudaSuccess) throw crossfix::DeviceError(cudaGetErrorString(status));
}

template <class T>
T* device_memory(int count) {
  void* memory = nullptr;
  check(cudaMallocManaged(&memory, static_cast<std::size_t>(count) * sizeof(T)));
  return static_cast<T*>(memory);
}

/// Attention of `dim` dims on one sequence; returns its error against plain sums.
template <class Launch>
double attention_error(int dim, const Launch& launch) {
  const int row = 3 * kHeads * dim;
  auto* qkv = device_memory<float16>(kTokens * row);
  auto* o = device_memory<float16>(kTokens * kHeads * dim);
  auto* lse = device_memory<float>(kTokens * kHeads);
  for (int i = 0; i < kTokens * row; ++i) {
    qkv[i] = float16(static_cast<float>(std::sin(0.7 * i * (i % 13))));
  }
  const auto part = [&](int which) {
    return AttentionOperand<const float16>{qkv + which * kHeads * dim, 0, row, dim};
  };
  const AttentionArguments<float16> arguments = {.q = part(0),
                                                 .k = part(1),
                                                 .v = part(2),
                                                 .o = {o, 0, kHeads * dim, dim},
                                                 .batch = 1,
                                                 .heads = kHeads,
                                                 .queries = kTokens,
                                                 .keys = kTokens,
                                                 .dim = dim,
                                                 .scale = 0.3f,
                                                 .lse = {lse, 0, kHeads, 1}};
  launch(arguments);
  check(cudaDeviceSynchronize());

  const auto at = [&](int token, int which, int h, int d) {
    return static_cast<double>(
        static_cast<float>(qkv[token * row + (which * kHeads + h) * dim + d]));
  };
  double worst = 0;
  for (int query = 0; query < kTokens; ++query) {
    for (int h = 0; h < kHeads; ++h) {
      double sum = 0;
      double weighted = 0;  // the first dim of the values
      for (int key = 0; key < kTokens; ++key) {
        double score = 0;
        for (int d = 0; d < dim; ++d) score += at(query, 0, h, d) * at(key, 1, h, d);
        sum += std::exp(0.3 * score);
        weighted += std::exp(0.3 * score) * at(key, 2, h, 0);
      }
      const auto found = static_cast<double>(static_cast<float>(o[(query * kHeads + h) * dim]));
      worst = std::fmax(worst, std::abs(found - weighted / sum));
      worst =
          std::fmax(worst, std::abs(static_cast<double>(lse[query * kHeads + h]) - std::log(sum)));
    }
  }
  return worst;
}

/// Softmax of rows of 40 columns; returns its error against plain sums.
double softmax_error(crossfix::cuda::StreamView stream) {
  constexpr int kColumns = 40;
  auto* x = device_memory<float16>(kTokens * kColumns);
  auto* y = device_memory<float16>(kTokens * kColumns);
  for (int i = 0; i < kTokens * kColumns; ++i) {
    x[i] = float16(static_cast<float>(std::sin(0.3 * i)));
  }
  constexpr int kLanes = 8;  // of a row: five hold it, a power of two shares it
  const SoftmaxRows<float16> rows{.x = x,
                                  .bias = nullptr,
                                  .y = y,
                                  .x_stride = kColumns,
                                  .bias_stride = 0,
                                  .y_stride = kColumns,
                                  .rows = kTokens,
                                  .bias_rows = 1,
                                  .columns = kColumns,
                                  .scale = 2.0f * crossfix::kLog2E};
  const int blocks = crossfix::ceil_div(kTokens, kSoftmaxLanesThreads / kLanes);
  crossfix::device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kSoftmaxLanesThreads, 0},
                           "softmax", softmax_lanes<float16, 8, 1>, rows, kLanes);
  check(cudaDeviceSynchronize());
  double worst = 0;
  for (int row = 0; row < kTokens; ++row) {
    double sum = 0;
    const auto score = [&](int column) {
      return 2.0 * static_cast<double>(static_cast<float>(x[row * kColumns + column]));
    };
    for (int column = 0; column < kColumns; ++column) sum += std::exp(score(column));
    for (int column = 0; column < kColumns; ++column) {
      const auto found = static_cast<double>(static_cast<float>(y[row * kColumns + column]));
      worst = std::fmax(worst, std::abs(found - std::exp(score(column)) / sum));
    }
  }
  return worst;
}

}  // namespace

int main() try {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("skipped: running the kernels that were compiled from an installed prefix: no GPU");
    return 0;
  }
  cudaDeviceProp gpu;
  check(cudaGetDeviceProperties(&gpu, 0));
  const crossfix::cuda::DeviceTraits traits{10 * gpu.major + gpu.minor, gpu.multiProcessorCount,
                                            static_cast<int>(gpu.sharedMemPerBlockOptin)};
  cudaStream_t made = nullptr;
  check(cudaStreamCreate(&made));
  const crossfix::cuda::StreamView stream(made);
  double worst = attention_error(40, [&](const auto& a) { launch_ampere<kOwn>(stream, a); });
  if (traits.compute_capability == 90) {
    worst = std::fmax(worst, attention_error(64, [&](const auto& a) {
                        launch_hopper<kOwnHopper>(stream, traits, a);
                      }));
  }
  worst = std::fmax(worst, softmax_error(stream));
  std::printf("largest error %.1e\n", worst);
  return worst <= 2e-3 ? 0
                       : 1;  // values up to 1, weights and results rounded to 2^-11 of themselves
} catch (const crossfix::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
