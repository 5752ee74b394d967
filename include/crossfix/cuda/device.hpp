#pragma once

#include <cstddef>
#include <string>

#include "crossfix/cuda/device_traits.hpp"

namespace crossfix::cuda {

/// A GPU that crossfix can use, identified by its index among those that the driver lists.
class Device {
 public:
  /// The oldest compute capability that the kernels are built for: 8.0, Ampere.
  static constexpr int kOldestComputeCapability = 80;

  /// Throws DeviceError if there is no driver, if the driver is too old for the CUDA runtime of
  /// this build, if there is no GPU or none with this index, or if the GPU is too old. The message
  /// says what would be right.
  explicit Device(int ordinal = 0);

  int ordinal() const { return ordinal_; }
  const std::string& name() const { return name_; }
  const DeviceTraits& traits() const { return traits_; }
  std::size_t memory_bytes() const { return memory_bytes_; }

  /// "GPU 0 (NVIDIA H200)", for messages.
  std::string description() const;

 private:
  int ordinal_;
  std::string name_;
  DeviceTraits traits_;
  std::size_t memory_bytes_ = 0;
};

/// Makes a device the current one of the calling thread, and restores the previous one at the end
/// of the scope.
class DeviceScope {
 public:
  /// Throws DeviceError if the device is no longer usable.
  explicit DeviceScope(const Device& device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int former_ = 0;
};

}  // namespace crossfix::cuda
