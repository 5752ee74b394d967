#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emulator/block.hpp"

namespace crossfix::emulator {

/// The mbarriers of the block. Their counts are kept here. The word in shared memory holds a mark,
/// so that a barrier that was never initialised, or was overwritten, is noticed.
class Arrivals : public Part {
 public:
  static constexpr Slot kSlot = Slot::arrivals;

  explicit Arrivals(Block& block) : block_(block) {}

  void init(std::uint64_t& word, int arrivals);
  /// Makes the barriers initialised so far visible to the copy engine.
  void fence_init();
  void arrive(std::uint64_t& word, std::uint32_t bytes);
  void wait(std::uint64_t& word, std::uint32_t parity);
  /// Throws Fault unless the copy engine may use this barrier.
  void expect_known_to_copies(std::uint64_t& word);
  /// A copy that uses this barrier has written `bytes`.
  void complete(std::uint64_t& word, std::size_t bytes);

 private:
  struct Barrier : public Waitable {
    std::string describe() const override;
    std::size_t offset = 0;
    int arrivals = 0;
    int pending = 0;         // arrivals that this phase lacks
    std::int64_t bytes = 0;  // and bytes
    std::uint64_t phase = 0;
    bool fenced = false;
    std::vector<unsigned> waiting;
  };

  Barrier& find(std::uint64_t& word, const char* what);
  void advance(Barrier& barrier);
  static std::uint64_t mark(std::size_t offset) { return 0x6d626172'00000000u | offset; }

  Block& block_;
  std::map<std::size_t, Barrier> barriers_;  // by offset in shared memory
};

}  // namespace crossfix::emulator
