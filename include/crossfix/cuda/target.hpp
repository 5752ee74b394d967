#pragma once

#include <memory>

#include "crossfix/cuda/device.hpp"
#include "crossfix/cuda/memory_resource.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// Where operators are prepared and run: a device, a stream on it, where memory comes from, and the
/// libraries' handles. Copies are the same target. Used by one thread at a time.
class Target {
 public:
  /// A stream of its own on `device`, with memory from a pool of its own. Throws DeviceError, also
  /// where cuBLASLt or cuDNN cannot be loaded.
  explicit Target(const Device& device);
  /// Memory from `memory`, which must give memory of `device`.
  Target(const Device& device, std::shared_ptr<MemoryResource> memory);

  /// Another target on the same device, with the same memory but its own stream: for another
  /// thread. Operators prepared on this one run there too.
  Target sibling() const;

  const Device& device() const;
  const DeviceTraits& traits() const { return device().traits(); }
  StreamView stream() const;
  MemoryResource& memory() const;

  /// Waits for all work handed to the stream so far. Throws DeviceError where some of it failed.
  void synchronize() const;

  /// The libraries' handles, for the operators.
  struct State;
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace crossfix::cuda
