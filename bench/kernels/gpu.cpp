#include "kernels/gpu.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"

namespace crossfix::bench {

void expect(cudaError_t status) {
  if (status != cudaSuccess) throw DeviceError(cudaGetErrorString(status));
}

DeviceMemory::DeviceMemory(std::size_t bytes) { expect(cudaMalloc(&data_, bytes)); }
DeviceMemory::~DeviceMemory() { cudaFree(data_); }

Gpu& Gpu::get() {
  static Gpu gpu;
  return gpu;
}

Gpu::Gpu() {
  expect(cudaGetDeviceProperties(&properties_, 0));
  traits_ = {.compute_capability = 10 * properties_.major + properties_.minor,
             .multiprocessors = properties_.multiProcessorCount,
             .shared_bytes_per_block = static_cast<int>(properties_.sharedMemPerBlockOptin)};
  expect(cudaStreamCreate(&stream_));
  expect(cudaEventCreate(&start_));
  expect(cudaEventCreate(&stop_));
}

std::string Gpu::describe() const {
  char text[512];
  std::snprintf(text, sizeof text, "%s, compute capability %d.%d, %d multiprocessors, %d MiB of L2",
                properties_.name, properties_.major, properties_.minor,
                properties_.multiProcessorCount, properties_.l2CacheSize >> 20);
  return text;
}

double Gpu::seconds_of(const std::function<void()>& work) {
  expect(cudaEventRecord(start_, stream_));
  work();
  expect(cudaEventRecord(stop_, stream_));
  expect(cudaEventSynchronize(stop_));
  float milliseconds = 0.0f;
  expect(cudaEventElapsedTime(&milliseconds, start_, stop_));
  return static_cast<double>(milliseconds) * 1e-3;
}

double Gpu::copy_rate() {
  if (copy_rate_ > 0.0) return copy_rate_;
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  constexpr int kRuns = 20;
  const DeviceMemory from(kBytes), to(kBytes);
  expect(cudaMemsetAsync(from.data(), 0x5a, kBytes, stream_));
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    seconds.push_back(seconds_of([&] {
      expect(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice, stream_));
    }));
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
  return copy_rate_ = 2.0 * static_cast<double>(kBytes) / seconds[kRuns / 2];
}

int Gpu::sets_of(std::size_t bytes) const {
  constexpr std::size_t kMost = 64;
  const std::size_t wished = 2 * static_cast<std::size_t>(properties_.l2CacheSize) / bytes + 1;
  const std::size_t room = properties_.totalGlobalMem / 4 / bytes;
  return static_cast<int>(std::clamp(std::min(wished, room), std::size_t{1}, kMost));
}

void Gpu::time(benchmark::State& state, int sets, const std::function<void(int)>& launch) {
  constexpr int kLaunches = 16;
  const int launches = sets * ((kLaunches + sets - 1) / sets);
  for (int set = 0; set < sets; ++set) launch(set);  // loads the code
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  expect(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  for (int i = 0; i < launches; ++i) launch(i % sets);
  expect(cudaStreamEndCapture(stream_, &graph));
  expect(cudaGraphInstantiate(&executable, graph, 0));
  const auto run = [&] { expect(cudaGraphLaunch(executable, stream_)); };
  run();
  wait();
  while (state.KeepRunningBatch(launches)) state.SetIterationTime(seconds_of(run));
  expect(cudaGraphExecDestroy(executable));
  expect(cudaGraphDestroy(graph));
}

template <class Element>
const Pattern<Element>& Pattern<Element>::get() {
  static const Pattern pattern;
  return pattern;
}

template <class Element>
Pattern<Element>::Pattern() : values_(static_cast<std::size_t>(kCount)) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (Element& value : values_) value = Element(normal(generator));
}

template <class Element>
void Pattern<Element>::fill(Element* memory, Index count, Index shift) const {
  for (Index i = 0; i < count;) {
    const Index from = (i + shift) % kCount;
    const Index length = std::min(count - i, kCount - from);
    expect(cudaMemcpy(memory + i, values_.data() + from,
                      static_cast<std::size_t>(length) * sizeof(Element), cudaMemcpyHostToDevice));
    i += length;
  }
}

template class Pattern<float>;
template class Pattern<bfloat16>;
template class Pattern<float16>;

}  // namespace crossfix::bench
