#pragma once

namespace crossfix::cuda {

/// What a kernel's launch needs to know of the device that its stream belongs to, read once where
/// the device is chosen.
struct DeviceTraits {
  int compute_capability = 0;  ///< major * 10 + minor: 80, 86, 90, ...
  int multiprocessors = 0;
  int shared_bytes_per_block = 0;  ///< the most that a block may ask for, bytes
};

}  // namespace crossfix::cuda
