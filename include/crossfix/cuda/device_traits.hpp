#pragma once

namespace crossfix::cuda {

/// What a kernel launch needs to know about the device of its stream. Read once, when the device is
/// chosen.
struct DeviceTraits {
  int compute_capability = 0;  ///< major * 10 + minor: 80, 86, 90, ...
  int multiprocessors = 0;
  int shared_bytes_per_block = 0;  ///< the most that a block may request, bytes
};

}  // namespace crossfix::cuda
