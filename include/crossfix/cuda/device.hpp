#pragma once

#include <cstddef>
#include <string>

#include "crossfix/cuda/device_traits.hpp"

namespace crossfix::cuda {

/// A GPU that crossfix can use, by its number among those the driver shows.
class Device {
 public:
  /// The oldest compute capability that the kernels are built for: 8.0, Ampere.
  static constexpr int kOldestComputeCapability = 80;

  /// Throws DeviceError, saying what would be right, where there is no driver or one too old for
  /// the CUDA runtime this build holds, no GPU, none of this number, or one that is too old.
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

/// Makes a device the calling thread's current one, and puts the former back at the end of the
/// scope.
class DeviceScope {
 public:
  /// Throws DeviceError where the device cannot be used any more.
  explicit DeviceScope(const Device& device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int former_ = 0;
};

}  // namespace crossfix::cuda
