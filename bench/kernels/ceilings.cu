// The limits of the attention kernel on this device: the rates of the units that it uses, each
// alone and in the kernel's mix. Every benchmark is one kernel of many blocks whose threads repeat
// an operation on registers; time is taken with events. Rates are per clock and multiprocessor, at
// the highest clock that the device reports, so a lower clock shows as a lower rate.

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "crossfix/kernels/attention/hopper_layout.hpp"
#include "crossfix/kernels/device/hopper.cuh"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "kernels/ceilings.hpp"

namespace crossfix::bench {
namespace {

constexpr int kThreads = 512;
constexpr int kBlocksOfMultiprocessor = 2;
constexpr int kRounds = 2048;
/// Independent chains of a thread, enough to hide latency.
constexpr int kChains = 8;

struct Exponential {
  static constexpr const char* kName = "exp2";
  static constexpr double kPerStep = 1;
  static __device__ float step(float x) { return device::exp2_approx(x); }
};
/// Packs two floats into a word: one result is two elements.
struct Pack {
  static constexpr const char* kName = "pack_bf16x2";
  static constexpr double kPerStep = 1;
  static __device__ float step(float x) { return __uint_as_float(device::pack2<bfloat16>(x, x)); }
};
/// The cost of a pair of scores in addition to the matrix products: scale and shift, exponential,
/// sum, pack.
struct ScorePair {
  static constexpr const char* kName = "score_pair";
  static constexpr double kPerStep = 2;
  static __device__ float step(float x) {
    const float low = device::exp2_approx(fmaf(x, 0.5f, -1.0f));
    const float high = device::exp2_approx(fmaf(x, 0.25f, -1.0f));
    return low + high + __uint_as_float(device::pack2<bfloat16>(low, high) & 0x007fffffu);
  }
};

template <class Operation>
__global__ void __launch_bounds__(kThreads) repeat(float* sink, float seed) {
  float x[kChains];
#pragma unroll
  for (int i = 0; i < kChains; ++i) x[i] = seed * static_cast<float>(threadIdx.x + i);
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) x[i] = Operation::step(x[i]);
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kChains; ++i) sum += x[i];
  if (sum == seed) *sink = sum;  // never true, but the compiler does not know that
}

/// A chain of dependent m64nNk16 products by each warpgroup of a block, on operands as they are in
/// memory.
template <int kN>
__global__ void __launch_bounds__(kThreads, 1) products(float* sink, float seed) {
#if CROSSFIX_DEVICE_SM90A
  using kernels::descriptor_address;
  auto* memory = reinterpret_cast<float*>(device::shared_memory());
  constexpr int kWords = kN * 16 * 2 / 4;
  for (int i = static_cast<int>(threadIdx.x); i < kWords; i += static_cast<int>(blockDim.x)) {
    memory[i] = seed;
  }
  device::fence_proxy_async();
  __syncthreads();
  constexpr int kSpan = kN < 64 ? 64 : 128;
  const std::uint64_t b = kernels::descriptor_base<kSpan>(16 * kSpan, 8 * kSpan) |
                          descriptor_address(device::shared_address(memory));
  const std::uint32_t a[4] = {1, 2, 3, static_cast<std::uint32_t>(threadIdx.x)};
  float d[kN / 2] = {};
  for (int round = 0; round < kRounds; ++round) {
    device::warpgroup_fence();
#pragma unroll
    for (int i = 0; i < kChains; ++i) device::warpgroup_mma<bfloat16, kN>(d, a, b, true);
    device::warpgroup_commit();
    device::warpgroup_wait<0>();
    device::hold(d);
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kN / 2; ++i) sum += d[i];
  if (sum == seed) *sink = sum;
#endif
}

/// Properties of the device, and an address that kernels seem to write to.
struct Bench {
  cudaDeviceProp properties{};
  int clock_khz = 0;
  float* sink = nullptr;
  cudaEvent_t start{}, stop{};

  Bench() {
    int device = 0;
    cudaGetDevice(&device);
    cudaGetDeviceProperties(&properties, device);
    cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, device);
    cudaMalloc(&sink, sizeof(float));
    cudaEventCreate(&start);
    cudaEventCreate(&stop);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    cudaEventDestroy(start);
    cudaEventDestroy(stop);
    cudaFree(sink);
  }

  /// Times `launch` in `state`; `work` is the work of one launch on each multiprocessor.
  template <class Launch>
  void run(benchmark::State& state, const char* unit, double work, Launch launch) {
    cudaStream_t stream{};
    cudaStreamCreate(&stream);
    launch(stream);  // loads the code
    double seconds = 0.0;
    for (auto _ : state) {
      cudaEventRecord(start, stream);
      launch(stream);
      cudaEventRecord(stop, stream);
      cudaEventSynchronize(stop);
      float milliseconds = 0.0f;
      cudaEventElapsedTime(&milliseconds, start, stop);
      state.SetIterationTime(static_cast<double>(milliseconds) * 1e-3);
      seconds += static_cast<double>(milliseconds) * 1e-3;
    }
    if (const cudaError_t status = cudaGetLastError(); status != cudaSuccess) {
      state.SkipWithError(cudaGetErrorString(status));
    }
    const double clocks = seconds * clock_khz * 1e3;
    state.counters[unit] = work * static_cast<double>(state.iterations()) / clocks;
    cudaStreamDestroy(stream);
  }
};

template <class Operation>
void add_operation() {
  const std::string name = std::string("ceiling/") + Operation::kName;
  auto* added = benchmark::RegisterBenchmark(name.c_str(), [](benchmark::State& state) {
    Bench bench;
    const int blocks = bench.properties.multiProcessorCount * kBlocksOfMultiprocessor;
    const double work = Operation::kPerStep * kThreads * kBlocksOfMultiprocessor *
                        static_cast<double>(kRounds) * kChains;
    bench.run(state, "per_clock", work, [&](cudaStream_t stream) {
      repeat<Operation><<<blocks, kThreads, 0, stream>>>(bench.sink, 1e-3f);
    });
  });
  added->UseManualTime()->Unit(benchmark::kMicrosecond);
}

template <int kN>
void add_products(int warpgroups) {
  const std::string name =
      "ceiling/wgmma_m64n" + std::to_string(kN) + "k16/warpgroups:" + std::to_string(warpgroups);
  auto* added = benchmark::RegisterBenchmark(name.c_str(), [warpgroups](benchmark::State& state) {
    Bench bench;
    if (bench.properties.major != 9) {
      state.SkipWithError("this device has no wgmma");
      return;
    }
    const double work = 2.0 * 64 * kN * 16 * warpgroups * static_cast<double>(kRounds) * kChains;
    bench.run(state, "flop_per_clock", work, [&](cudaStream_t stream) {
      constexpr int kSharedBytes = kN * 16 * 2 + 1024;
      products<kN>
          <<<bench.properties.multiProcessorCount, warpgroups * 128, kSharedBytes, stream>>>(
              bench.sink, 1e-3f);
    });
  });
  added->UseManualTime()->Unit(benchmark::kMicrosecond);
}

/// Reads `kBytes` once and writes `kBytes` once.
void copy(benchmark::State& state) {
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  Bench bench;
  void* from = nullptr;
  void* to = nullptr;
  if (cudaMalloc(&from, kBytes) != cudaSuccess || cudaMalloc(&to, kBytes) != cudaSuccess) {
    state.SkipWithError("not enough device memory");
  } else {
    cudaMemset(from, 0x5a, kBytes);
    bench.run(state, "bytes_per_clock", 2.0 * static_cast<double>(kBytes),
              [&](cudaStream_t stream) {
                cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice, stream);
              });
    state.SetBytesProcessed(static_cast<std::int64_t>(2 * kBytes) * state.iterations());
  }
  cudaFree(from);
  cudaFree(to);
}

}  // namespace

void add_ceilings() {
  add_operation<Exponential>();
  add_operation<Pack>();
  add_operation<ScorePair>();
  for (const int warpgroups : {1, 2, 3, 4}) {
    add_products<32>(warpgroups);
    add_products<128>(warpgroups);
  }
  benchmark::RegisterBenchmark("ceiling/copy", copy)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace crossfix::bench
