#pragma once

#include <stdexcept>

namespace crossfix::emulator {

/// What a device would have answered with a wrong result, a hang or a crash: a mistake in a kernel,
/// not in its caller. The message says which kernel, where, and who waits for what.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crossfix::emulator
