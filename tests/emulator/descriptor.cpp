#include "emulator/descriptor.hpp"

#include <cstring>
#include <string>

#include "emulator/swizzle.hpp"

namespace crossfix::emulator {
namespace {

constexpr std::size_t kAtomRows = 8;
constexpr std::size_t kStepBytes = 32;  // 16 elements of 2 bytes
constexpr std::uint64_t kUsedBits = 0xc000'3fff'3fff'3fffu;

/// A field of 14 bits in units of 16 bytes.
std::size_t bytes_at(std::uint64_t bits, unsigned first) {
  return static_cast<std::size_t>(bits >> first & 0x3fffu) << 4;
}

std::size_t span_of(std::uint64_t bits) {
  constexpr std::size_t kSpans[4] = {16, 128, 64, 32};
  return kSpans[bits >> 62];
}

}  // namespace

Descriptor::Descriptor(Block& block, std::uint64_t bits)
    : block_(block),
      start_(bytes_at(bits, 0)),
      leading_(bytes_at(bits, 16)),
      stride_(bytes_at(bits, 32)),
      span_(span_of(bits)) {
  if ((bits & ~kUsedBits) != 0) block.fail("wgmma descriptor with bits that mean nothing here");
  if (span_ == 16) block.fail("wgmma descriptor without a swizzle, which is not modelled");
  if (start_ % (kAtomRows * span_) >= span_) {
    block.fail("wgmma descriptor that starts at shared address " + std::to_string(start_) +
               ", not in the first row of a swizzle atom of " + std::to_string(kAtomRows * span_) +
               " bytes");
  }
}

void Descriptor::read(std::size_t address, std::uint16_t* to) const {
  const std::size_t at = swizzled(address, span_);
  if (at < kFirstSharedAddress ||
      at + kChunkBytes > kFirstSharedAddress + block_.shared().bytes()) {
    block_.fail("wgmma operand at shared address " + std::to_string(at) +
                ", outside the block's shared memory");
  }
  std::memcpy(to, block_.shared().asynchronous() + (at - kFirstSharedAddress), kChunkBytes);
}

void Descriptor::read_k_major(std::size_t row, std::size_t chunk, std::uint16_t* to) const {
  if (start_ % span_ + kStepBytes > span_) {
    block_.fail("wgmma operand of 32 bytes of k that cross the end of a row of " +
                std::to_string(span_));
  }
  read(start_ + row / kAtomRows * stride_ + row % kAtomRows * span_ + chunk * kChunkBytes, to);
}

void Descriptor::read_mn_major(std::size_t chunk, std::size_t k, std::uint16_t* to) const {
  if (start_ % span_ != 0) block_.fail("wgmma operand, MN-major, that starts inside a row");
  const std::size_t bytes = chunk * kChunkBytes;
  read(start_ + bytes / span_ * leading_ + bytes % span_ + k / kAtomRows * stride_ +
           k % kAtomRows * span_,
       to);
}

}  // namespace crossfix::emulator
