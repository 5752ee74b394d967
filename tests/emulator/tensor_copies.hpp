#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>

#include "crossfix/kernels/device/tensor_map.cuh"
#include "emulator/block.hpp"

namespace crossfix::emulator {

/// The copy engine. The destination of a copy is poison from its issue on. Its bytes arrive when no
/// thread of the block can run; copies may come in any order.
class TensorCopies : public Part {
 public:
  static constexpr Slot kSlot = Slot::tensors;

  explicit TensorCopies(Block& block) : block_(block) {}

  /// Copies the box of `map` at `corner`, innermost first, to `shared`. Elements outside the tensor
  /// are zero. Throws Fault if the destination is misaligned, outside, or already being written.
  void load(void* shared, const device::TensorMapDescription& map, std::uint64_t& barrier,
            const std::array<Index, 4>& corner);
  void block_ended() override;

 private:
  struct Copy {
    std::size_t offset;
    std::size_t bytes;
    device::TensorMapDescription map;
    std::array<Index, 4> corner;
    std::uint64_t* barrier;
  };

  void finish(std::list<Copy>::iterator copy);
  void write_row(const Copy& copy, const std::array<Index, 4>& at, std::size_t offset);

  Block& block_;
  std::list<Copy> under_way_;
};

}  // namespace crossfix::emulator
