#include "emulator/registers.hpp"

#include <algorithm>
#include <utility>

#include "emulator/collectives.hpp"

namespace crossfix::emulator {
namespace {

constexpr int kOfMultiprocessor = 65536;
constexpr int kGranule = 8;
constexpr int kFewest = 24;
constexpr int kMost = 256;
constexpr std::size_t kWarpsOfGroup = 4;

}  // namespace

Registers::Registers(Block& block)
    : block_(block), warps_((block.threads() + kWarpThreads - 1) / kWarpThreads) {
  const int each = kOfMultiprocessor / static_cast<int>(warps_.size() * kWarpThreads);
  for (Warp& warp : warps_) warp.count = std::min(each / kGranule * kGranule, kMost - kGranule);
}

void Registers::check(int count) const {
  if (count < kFewest || count > kMost || count % kGranule != 0) {
    block_.fail("setmaxnreg " + std::to_string(count) + ", no multiple of 8 from 24 to 256");
  }
}

void Registers::lower(int count) {
  check(count);
  char present = 0;
  Warp& warp = warps_[block_.running() / kWarpThreads];
  meet_whole_warp("setmaxnreg.dec", &present, [&](const Lanes&) {
    if (count > warp.count) {
      block_.fail("setmaxnreg.dec to " + std::to_string(count) + " of a warp that has " +
                  std::to_string(warp.count));
    }
    pool_.free += warp.count - count;
    warp.count = count;
    warp.history.push_back(count);
    for (const unsigned thread : std::exchange(pool_.waiting, {})) block_.wake(thread);
  });
}

void Registers::increase(int count) {
  check(count);
  char present = 0;
  Warp& warp = warps_[block_.running() / kWarpThreads];
  meet_whole_warp("setmaxnreg.inc", &present, [&](const Lanes&) {
    if (count < warp.count) {
      block_.fail("setmaxnreg.inc to " + std::to_string(count) + " of a warp that has " +
                  std::to_string(warp.count));
    }
    warp.history.push_back(count);
  });
  while (warp.count < count && pool_.free < count - warp.count) {
    pool_.waiting.push_back(block_.running());
    block_.wait(pool_);
  }
  // The first lane that continues takes registers for the whole warp.
  if (warp.count < count) pool_.free -= count - std::exchange(warp.count, count);
}

void Registers::block_ended() {
  for (std::size_t i = 0; i < warps_.size(); ++i) {
    if (warps_[i].history != warps_[i / kWarpsOfGroup * kWarpsOfGroup].history) {
      block_.fail("setmaxnreg by some warps of a warpgroup alone");
    }
  }
}

}  // namespace crossfix::emulator
