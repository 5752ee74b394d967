#pragma once

#include <stdexcept>

namespace crossfix::emulator {

/// A mistake in a kernel (not in its caller), for which a device would give a wrong result, hang or
/// crash. The message says which kernel, where, and who waits for what.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crossfix::emulator
