#pragma once

#include <cstddef>

#include "crossfix/cuda/device.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// Where device memory comes from. Memory is taken and given back in the order of a stream: it may
/// be used by work handed to that stream after `allocate`, and until `deallocate`.
class MemoryResource {
 public:
  virtual ~MemoryResource() = default;

  /// `bytes` of device memory, at least 256-byte aligned; null for 0 bytes. Throws DeviceError that
  /// says how much was asked for where there is not enough; whoever called can go on.
  void* allocate(std::size_t bytes, StreamView stream) {
    return bytes == 0 ? nullptr : do_allocate(bytes, stream);
  }

  /// Gives back what `allocate` gave for as many bytes. Does not wait.
  void deallocate(void* memory, std::size_t bytes, StreamView stream) noexcept {
    if (memory != nullptr) do_deallocate(memory, bytes, stream);
  }

 private:
  virtual void* do_allocate(std::size_t bytes, StreamView stream) = 0;
  virtual void do_deallocate(void* memory, std::size_t bytes, StreamView stream) noexcept = 0;
};

/// A memory pool of its own on one device (cudaMallocAsync). What is given back returns to the
/// device when a stream is next waited for.
class PoolMemory final : public MemoryResource {
 public:
  /// Throws DeviceError.
  explicit PoolMemory(const Device& device);
  ~PoolMemory() override;
  PoolMemory(const PoolMemory&) = delete;
  PoolMemory& operator=(const PoolMemory&) = delete;

 private:
  void* do_allocate(std::size_t bytes, StreamView stream) override;
  void do_deallocate(void* memory, std::size_t bytes, StreamView stream) noexcept override;

  Device device_;
  void* pool_ = nullptr;  // a cudaMemPool_t
};

}  // namespace crossfix::cuda
