#pragma once

#include <memory>

#include "crossfix/cuda/device.hpp"
#include "crossfix/cuda/memory_resource.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// Where operators are prepared and run: a device, a stream on it, a memory resource, and the
/// handles of the libraries. Copies refer to the same target. One thread may use it at a time.
class Target {
 public:
  /// Makes its own stream on `device` and its own memory pool. Throws DeviceError, also if cuBLASLt
  /// or cuDNN cannot be loaded.
  explicit Target(const Device& device);
  /// Takes memory from `memory`, which must allocate on `device`.
  Target(const Device& device, std::shared_ptr<MemoryResource> memory);

  /// Another target on the same device, for another thread. It has the same memory resource but its
  /// own stream. Operators prepared on this target can run on it.
  Target sibling() const;

  const Device& device() const;
  const DeviceTraits& traits() const { return device().traits(); }
  StreamView stream() const;
  MemoryResource& memory() const;

  /// Waits for all work enqueued on the stream so far. Throws DeviceError if any of it failed.
  void synchronize() const;

  /// The handles of the libraries, for the operators.
  struct State;
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace crossfix::cuda
