#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>

#include "crossfix/cuda/backend.hpp"
#include "crossfix/detail/cuda/staging.hpp"

/// What the tests of the backend run on: stand-ins for the libraries, or a GPU if there is one.
namespace crossfix::test {

/// Device memory that counts what is alive, and whose n-th allocation can be made to fail.
class CountingMemory final : public cuda::MemoryResource {
 public:
  explicit CountingMemory(const cuda::Device& device) : pool_(device) {}

  std::size_t alive() const { return alive_; }
  std::size_t allocations() const { return allocations_; }
  /// Makes the n-th allocation from now on (1: the next) fail; 0: none fails.
  void fail(std::size_t n) { failing_ = n; }

 private:
  void* do_allocate(std::size_t bytes, cuda::StreamView stream) override {
    ++allocations_;
    if (failing_ != 0 && --failing_ == 0) {
      throw DeviceError("out of memory, as the test asked: " + std::to_string(bytes) +
                        " bytes asked for");
    }
    void* memory = pool_.allocate(bytes, stream);
    ++alive_;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, cuda::StreamView stream) noexcept override {
    --alive_;
    pool_.deallocate(memory, bytes, stream);
  }

  cuda::PoolMemory pool_;
  std::size_t alive_ = 0;
  std::size_t allocations_ = 0;
  std::size_t failing_ = 0;
};

inline cuda::Target first_gpu() { return cuda::Target(cuda::Device()); }

/// False, with a message, if there is no GPU to test on.
inline bool there_is_a_gpu() {
  try {
    const cuda::Device device;
    return true;
  } catch (const DeviceError& error) {
    std::printf("skipped, no GPU: %s\n", error.what());
    return false;
  }
}

/// A subject for the checks of whole networks (model/network_golden.hpp).
template <class Element>
struct CudaSubject {
  using Backend = cuda::Backend<Element>;

  static cuda::Target target() { return first_gpu(); }
  static void write(const cuda::Target& target, TensorView<float, 2, DeviceSpace> view,
                    const float* host) {
    cuda::Staging(target).copy(reinterpret_cast<std::byte*>(view.data()), host,
                               static_cast<std::size_t>(view.size()) * sizeof(float));
    target.synchronize();
  }
};

}  // namespace crossfix::test

/// Leaves a test if there is no GPU.
#define CROSSFIX_NEED_GPU \
  if (!crossfix::test::there_is_a_gpu()) return
