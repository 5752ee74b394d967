#pragma once

#include <string>
#include <utility>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

#if defined(CROSSFIX_TEST_ON_GPU)
#include <cuda_runtime.h>
#else
#include "emulator/cuda.hpp"
#endif

/// The machine that the tests of a kernel run on: the emulator, or a GPU if CROSSFIX_TEST_ON_GPU is
/// defined. Tests pass host tensors and get host tensors back.
namespace crossfix::test {

/// An H200, which the emulator stands in for.
inline constexpr cuda::DeviceTraits kH200{
    .compute_capability = 90, .multiprocessors = 132, .shared_bytes_per_block = 232448};

#if defined(CROSSFIX_TEST_ON_GPU)

struct Machine {
  static void expect(cudaError_t status) {
    if (status != cudaSuccess) throw DeviceError(cudaGetErrorString(status));
  }
  /// Why there is no machine; empty if there is one.
  static std::string absence() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) return cudaGetErrorString(status);
    return count > 0 ? "" : "the driver lists none";
  }
  static cuda::DeviceTraits device() {
    cudaDeviceProp properties;
    expect(cudaGetDeviceProperties(&properties, 0));
    return {properties.major * 10 + properties.minor, properties.multiProcessorCount,
            static_cast<int>(properties.sharedMemPerBlockOptin)};
  }
  static cuda::StreamView stream() {
    static cudaStream_t made = [] {
      cudaStream_t stream = nullptr;
      expect(cudaStreamCreate(&stream));
      return stream;
    }();
    return cuda::StreamView(made);
  }
  /// The orders of work that a test tries; a GPU chooses its own.
  static std::vector<std::uint64_t> seeds() { return {0}; }
  static void set_seed(std::uint64_t) {}

  /// A copy of a host tensor in device memory.
  template <class T>
  class Memory {
   public:
    template <std::size_t Rank>
    explicit Memory(const Tensor<T, Rank>& from) : count_(from.size()) {
      expect(cudaMalloc(&data_, bytes()));
      expect(cudaMemcpyAsync(data_, from.data(), bytes(), cudaMemcpyDefault, stream().get()));
    }
    Memory(Memory&& other) noexcept
        : count_(other.count_), data_(std::exchange(other.data_, nullptr)) {}
    Memory& operator=(Memory&&) = delete;
    ~Memory() { cudaFree(data_); }

    T* data() const { return static_cast<T*>(data_); }
    template <std::size_t Rank>
    void write(const Tensor<T, Rank>& from) {
      expect(cudaMemcpyAsync(data_, from.data(), bytes(), cudaMemcpyDefault, stream().get()));
    }
    /// Waits for the work on the stream, and copies back.
    template <std::size_t Rank>
    void read(Tensor<T, Rank>& to) const {
      expect(cudaMemcpyAsync(to.data(), data_, bytes(), cudaMemcpyDefault, stream().get()));
      expect(cudaStreamSynchronize(stream().get()));
    }

   private:
    std::size_t bytes() const { return static_cast<std::size_t>(count_) * sizeof(T); }
    Index count_;
    void* data_ = nullptr;
  };
};

#else

struct Machine {
  static std::string absence() { return {}; }
  static cuda::DeviceTraits device() { return kH200; }
  static cuda::StreamView stream() { return cuda::StreamView(nullptr); }
  static std::vector<std::uint64_t> seeds() { return {1, 2, 3, 4}; }
  static void set_seed(std::uint64_t seed) { emulator::set_seed(seed); }

  /// The device memory of the emulator is that of the process. It is a copy all the same, so that a
  /// kernel's writes to its inputs are noticed.
  template <class T>
  class Memory {
   public:
    template <std::size_t Rank>
    explicit Memory(const Tensor<T, Rank>& from) : copy_({from.size()}) {
      for (Index i = 0; i < from.size(); ++i) copy_.data()[i] = from.data()[i];
    }
    T* data() { return copy_.data(); }
    template <std::size_t Rank>
    void write(const Tensor<T, Rank>& from) {
      for (Index i = 0; i < from.size(); ++i) copy_.data()[i] = from.data()[i];
    }
    template <std::size_t Rank>
    void read(Tensor<T, Rank>& to) const {
      for (Index i = 0; i < to.size(); ++i) to.data()[i] = copy_.data()[i];
    }

   private:
    Tensor<T, 1> copy_;
  };
};

#endif

}  // namespace crossfix::test

/// Leaves a test, with a message, if there is no machine to run it on.
#define CROSSFIX_NEED_MACHINE                                                             \
  if (const std::string absence = crossfix::test::Machine::absence(); !absence.empty()) { \
    WARN("skipped, no GPU: " << absence);                                                 \
    return;                                                                               \
  }
