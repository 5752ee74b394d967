#pragma once

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "crossfix/core/shape.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::bench {

/// Throws DeviceError unless `status` is success.
void expect(cudaError_t status);

/// Device memory that is freed with its owner.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t bytes);
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory();
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* data_ = nullptr;
};

/// The device that benchmarks run on (the first one), with its own stream.
class Gpu {
 public:
  /// Throws DeviceError if there is no device.
  static Gpu& get();

  std::string describe() const;
  const cuda::DeviceTraits& traits() const { return traits_; }
  cuda::StreamView stream() const { return cuda::StreamView(stream_); }
  /// Bytes that a large copy on the device reads and writes a second, measured at the first call.
  double copy_rate();

  /// How many sets of inputs of `bytes` each a benchmark cycles through, so that no set is in the
  /// L2 cache when it is used again: together twice the cache, but at most a quarter of the memory.
  int sets_of(std::size_t bytes) const;

  /// Times `launch(set)`, called for the sets in turn, as the iterations of `state`. It measures a
  /// CUDA graph of some launches between two events, so that the host's share is left out.
  void time(benchmark::State& state, int sets, const std::function<void(int)>& launch);

  void wait() const { expect(cudaStreamSynchronize(stream_)); }

 private:
  Gpu();
  double seconds_of(const std::function<void()>& work);

  cudaDeviceProp properties_{};
  cuda::DeviceTraits traits_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t start_ = nullptr;
  cudaEvent_t stop_ = nullptr;
  double copy_rate_ = 0.0;
};

/// An endless sequence of random values of unit variance: a few million of them, repeated. The
/// period is prime, so no two rows of a tensor are equal. The host knows the inputs of the device
/// by it.
template <class Element>
class Pattern {
 public:
  static const Pattern& get();

  /// Value `index` of the tensor that begins at `shift`.
  Element at(Index index, Index shift) const {
    return values_[static_cast<std::size_t>((index + shift) % kCount)];
  }
  double number_at(Index index, Index shift) const {
    return static_cast<double>(static_cast<float>(at(index, shift)));
  }
  /// Writes `count` values to the device.
  void fill(Element* memory, Index count, Index shift) const;

 private:
  static constexpr Index kCount = 4194301;
  Pattern();
  std::vector<Element> values_;
};

// Each family.
void add_attentions();
void add_memory_bound();

}  // namespace crossfix::bench
