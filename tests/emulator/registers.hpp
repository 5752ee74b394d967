#pragma once

#include <string>
#include <vector>

#include "emulator/block.hpp"

namespace crossfix::emulator {

/// setmaxnreg's books: each warp's registers, and what warps have given back to the block's pool. A
/// warp that asks for more than there is waits. A block starts with as many as a multiprocessor's
/// 65,536 allow each of its threads, and an empty pool.
class Registers : public Part {
 public:
  static constexpr Slot kSlot = Slot::registers;

  explicit Registers(Block& block);

  /// Throw Fault unless `count` is a multiple of 8 from 24 to 256, below (above) what the warp has.
  void lower(int count);
  void increase(int count);
  /// Throws Fault where the warps of a warpgroup did not do the same.
  void block_ended() override;

 private:
  struct Warp {
    int count = 0;  // a thread
    std::vector<int> history;
  };
  struct Pool : public Waitable {
    std::string describe() const override {
      return "setmaxnreg.inc, the pool having " + std::to_string(free) + " registers a lane";
    }
    int free = 0;  // registers of a warp's 32 lanes
    std::vector<unsigned> waiting;
  };

  void check(int count) const;

  Block& block_;
  std::vector<Warp> warps_;
  Pool pool_;
};

}  // namespace crossfix::emulator
