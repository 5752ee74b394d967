#pragma once

#include <functional>
#include <string>

#include "emulator/cuda.hpp"

namespace crossfix::emulator {

/// The message of the fault of a one-block kernel; "" if there is none.
inline std::string fault_of(unsigned threads, std::size_t shared_bytes,
                            const std::function<void()>& kernel) {
  try {
    launch(1, threads, shared_bytes, "kernel", kernel);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace crossfix::emulator
