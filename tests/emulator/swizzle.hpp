#pragma once

#include <cstddef>

namespace crossfix::emulator {

/// The address that the byte at shared address `address` is kept at, under a swizzle of `span`
/// bytes: address bits 7 and up permute the 16-byte chunks of a row of `span` bytes. A span of 16
/// changes nothing. Source: CUDA programming guide, "tensor memory access", swizzle modes.
constexpr std::size_t swizzled(std::size_t address, std::size_t span) {
  const std::size_t chunks = span / 16;
  return address ^ (((address >> 7) & (chunks - 1)) << 4);
}

}  // namespace crossfix::emulator
