#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/memory_resource.hpp"
#include "status.hpp"

namespace crossfix::cuda {
namespace {

/// Throws DeviceError for a failed allocation.
[[noreturn]] void refuse_memory(const std::string& what, std::size_t bytes, cudaError_t status) {
  static_cast<void>(cudaGetLastError());
  std::string message = what + ": " + std::to_string(bytes) + " bytes asked for";
  if (status != cudaErrorMemoryAllocation) {
    throw DeviceError(message + ": " + cudaGetErrorString(status));
  }
  std::size_t free = 0;
  std::size_t total = 0;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
    message += ", " + std::to_string(free) + " of " + std::to_string(total) + " free";
  } else {
    static_cast<void>(cudaGetLastError());
  }
  throw DeviceError(message + "; use a smaller batch, or free memory on the device");
}

}  // namespace

PoolMemory::PoolMemory(const Device& device) : device_(device) {
  const DeviceScope scope(device);
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.handleTypes = cudaMemHandleTypeNone;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device.ordinal();
  cudaMemPool_t pool = nullptr;
  check(cudaMemPoolCreate(&pool, &properties), "making a memory pool on " + device.description());
  pool_ = pool;
}

PoolMemory::~PoolMemory() {
  static_cast<void>(cudaMemPoolDestroy(static_cast<cudaMemPool_t>(pool_)));
}

void* PoolMemory::do_allocate(std::size_t bytes, StreamView stream) {
  const DeviceScope scope(device_);
  void* memory = nullptr;
  const cudaError_t status =
      cudaMallocFromPoolAsync(&memory, bytes, static_cast<cudaMemPool_t>(pool_), stream.get());
  if (status != cudaSuccess) {
    refuse_memory("out of memory on " + device_.description(), bytes, status);
  }
  return memory;
}

void PoolMemory::do_deallocate(void* memory, std::size_t, StreamView stream) noexcept {
  static_cast<void>(cudaFreeAsync(memory, stream.get()));
}

DeviceBuffer::DeviceBuffer(const Target& target, std::size_t bytes)
    : target_(target), size_(bytes) {
  data_ = static_cast<std::byte*>(target.memory().allocate(bytes, target.stream()));
}

DeviceBuffer::~DeviceBuffer() {
  if (data_ != nullptr) target_->memory().deallocate(data_, size_, target_->stream());
}

DeviceBuffer upload(const Target& target, const void* host, std::size_t bytes) {
  const DeviceScope scope(target.device());
  DeviceBuffer buffer(target, bytes);
  if (bytes == 0) return buffer;
  check(cudaMemcpyAsync(buffer.data(), host, bytes, cudaMemcpyHostToDevice, target.stream().get()),
        "copying weights to " + target.device().description());
  target.synchronize();
  return buffer;
}

Arena::Arena(const Target& target, std::size_t bytes) : buffer_(target, bytes) {
  if (bytes == 0) return;
  const DeviceScope scope(target.device());
  check(cudaMemsetAsync(buffer_.data(), 0, bytes, target.stream().get()),
        "clearing memory on " + target.device().description());
}

PinnedBuffer::PinnedBuffer(const Device& device, std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  const DeviceScope scope(device);
  void* memory = nullptr;
  const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
  if (status != cudaSuccess) refuse_memory("out of pinned host memory", bytes, status);
  data_ = static_cast<std::byte*>(memory);
}

PinnedBuffer::~PinnedBuffer() {
  if (data_ != nullptr) static_cast<void>(cudaFreeHost(data_));
}

void copy_to_device(const Target& target, std::byte* device, const PinnedBuffer& host,
                    std::size_t bytes) {
  const DeviceScope scope(target.device());
  check(cudaMemcpyAsync(device, host.data(), bytes, cudaMemcpyHostToDevice, target.stream().get()),
        "copying to " + target.device().description());
}

void copy_to_host(const Target& target, const PinnedBuffer& host, const std::byte* device,
                  std::size_t bytes) {
  const DeviceScope scope(target.device());
  check(cudaMemcpyAsync(host.data(), device, bytes, cudaMemcpyDeviceToHost, target.stream().get()),
        "copying from " + target.device().description());
}

void expect_on_device(const Target& target, const char* what, const void* memory) {
  cudaPointerAttributes attributes = {};
  check(cudaPointerGetAttributes(&attributes, memory), what);
  const bool here =
      attributes.type == cudaMemoryTypeDevice && attributes.device == target.device().ordinal();
  if (!here && attributes.type != cudaMemoryTypeManaged) {
    throw DeviceError(std::string(what) + " is not in the memory of " +
                      target.device().description() + ": copy it there first");
  }
}

}  // namespace crossfix::cuda
