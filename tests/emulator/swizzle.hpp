#pragma once

#include <cstddef>

namespace crossfix::emulator {

/// Where the byte at shared address `address` is kept under a swizzle of `span` bytes: 16-byte
/// chunks of a row of `span` bytes change about, by address bits 7 and up. A span of 16 leaves all
/// as it is. Source: CUDA programming guide, "tensor memory access", swizzle modes.
constexpr std::size_t swizzled(std::size_t address, std::size_t span) {
  const std::size_t chunks = span / 16;
  return address ^ (((address >> 7) & (chunks - 1)) << 4);
}

}  // namespace crossfix::emulator
