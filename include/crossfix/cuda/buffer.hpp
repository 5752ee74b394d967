#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "crossfix/cuda/target.hpp"

namespace crossfix::cuda {

/// Device memory, 256-byte aligned, freed in the order of its target's stream.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;

  /// Not initialised. Throws DeviceError if memory is short.
  DeviceBuffer(const Target& target, std::size_t bytes);
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : target_(std::move(other.target_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(target_, other.target_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceBuffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::optional<Target> target_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A copy of host memory on the device. Waits for the copy, so that every stream may read it.
DeviceBuffer upload(const Target& target, const void* host, std::size_t bytes);

/// Zeroed device memory (contract: ops/backend.hpp), for work on the target's stream.
class Arena {
 public:
  Arena(const Target& target, std::size_t bytes);
  std::byte* data() const { return buffer_.data(); }
  std::size_t size() const { return buffer_.size(); }

 private:
  DeviceBuffer buffer_;
};

/// Page-locked host memory, which the device can read and write directly.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;

  /// Throws DeviceError if memory is short.
  PinnedBuffer(const Device& device, std::size_t bytes);
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PinnedBuffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Copy `bytes` from pinned memory to the device and back, in the order of the target's stream,
/// without waiting. Throw DeviceError.
void copy_to_device(const Target& target, std::byte* device, const PinnedBuffer& host,
                    std::size_t bytes);
void copy_to_host(const Target& target, const PinnedBuffer& host, const std::byte* device,
                  std::size_t bytes);

/// Throws DeviceError unless `memory` belongs to the target's device, or every device can read it.
void expect_on_device(const Target& target, const char* what, const void* memory);

}  // namespace crossfix::cuda
