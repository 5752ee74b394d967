#pragma once

#include <cstddef>

#include "crossfix/cuda/device.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// A source of device memory. Memory is allocated and freed in the order of a stream: it may be
/// used by work that is enqueued on that stream after `allocate` and before `deallocate`.
class MemoryResource {
 public:
  virtual ~MemoryResource() = default;

  /// `bytes` of device memory, at least 256-byte aligned; null for 0 bytes. Throws DeviceError if
  /// there is not enough; the message gives the requested size. The caller can continue after such
  /// an error.
  void* allocate(std::size_t bytes, StreamView stream) {
    return bytes == 0 ? nullptr : do_allocate(bytes, stream);
  }

  /// Frees memory that `allocate` returned for the same number of bytes. Does not wait.
  void deallocate(void* memory, std::size_t bytes, StreamView stream) noexcept {
    if (memory != nullptr) do_deallocate(memory, bytes, stream);
  }

 private:
  virtual void* do_allocate(std::size_t bytes, StreamView stream) = 0;
  virtual void do_deallocate(void* memory, std::size_t bytes, StreamView stream) noexcept = 0;
};

/// A private memory pool on one device (cudaMallocAsync). Freed memory returns to the device at the
/// next synchronisation with a stream.
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
