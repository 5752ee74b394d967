#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/block.hpp"

namespace crossfix::emulator {

/// The start of the block's dynamic shared memory in the window of shared addresses. It is not 0,
/// as on a device.
inline constexpr std::size_t kFirstSharedAddress = 1024;

/// A wgmma operand in shared memory, from its matrix descriptor. Source: PTX ISA, "asynchronous
/// warpgroup-level matrix instructions", shared memory matrix layout.
class Descriptor {
 public:
  /// Throws Fault if the bits name a layout that does not exist or is not modelled (no swizzle, a
  /// base offset).
  Descriptor(Block& block, std::uint64_t bits);

  /// The 8 elements (of 2 bytes) 8 `chunk` to 8 `chunk` + 7 along k of row `row`, K-major: 8 rows
  /// of `span` bytes, the next 8 rows `stride` bytes further. Throws Fault if they lie outside.
  void read_k_major(std::size_t row, std::size_t chunk, std::uint16_t* to) const;

  /// The 8 elements along MN from 8 `chunk` on, at depth k, MN-major: `span` bytes of MN a row of
  /// k; the next 8 rows of k `stride` bytes further, the next `span` bytes of MN `leading` bytes.
  void read_mn_major(std::size_t chunk, std::size_t k, std::uint16_t* to) const;

 private:
  static constexpr std::size_t kChunkBytes = 16;
  void read(std::size_t address, std::uint16_t* to) const;

  Block& block_;
  std::size_t start_;
  std::size_t leading_;
  std::size_t stride_;
  std::size_t span_;
};

}  // namespace crossfix::emulator
