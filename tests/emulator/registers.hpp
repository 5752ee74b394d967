#pragma once

#include <string>
#include <vector>

#include "emulator/block.hpp"

namespace crossfix::emulator {

/// Tracks setmaxnreg: the registers of each warp, and what warps have given back to the pool of the
/// block. A warp that asks for more than the pool has waits. A block starts with an empty pool, and
/// with as many registers for each thread as the 65,536 of a multiprocessor allow.
class Registers : public Part {
 public:
  static constexpr Slot kSlot = Slot::registers;

  explicit Registers(Block& block);

  /// Throw Fault unless `count` is a multiple of 8 from 24 to 256, below (above) what the warp has.
  void lower(int count);
  void increase(int count);
  /// Throws Fault if the warps of a warpgroup did not do the same.
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
