#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "emulator/block.hpp"
#include "emulator/collectives.hpp"

namespace crossfix::emulator {

/// One wgmma.mma_async, as a lane issues it.
struct ProductRequest {
  float* d = nullptr;                // kN / 2 registers
  const std::uint32_t* a = nullptr;  // 4 registers; null: A lies in shared memory
  std::uint64_t descriptor_a = 0;
  std::uint64_t descriptor_b = 0;
  bool accumulate = false;
  int n = 0;
  float (*to_float)(std::uint16_t) = nullptr;  // of the operands' element type
};

/// The matrix products of warpgroups. A warp's share of a product (16 rows of A and D, all of B) is
/// computed when a wait needs it, never earlier; until then its accumulators are poison. What it
/// reads, in shared memory or in registers, must be the same at its issue and at its end, since the
/// device may read it at any time between.
class Products : public Part {
 public:
  static constexpr Slot kSlot = Slot::products;

  explicit Products(Block& block);

  void fence();
  void issue(const ProductRequest& request);
  void commit();
  void wait(std::size_t pending_groups);
  void block_ended() override;

 private:
  static constexpr unsigned kRows = 16;  // of a warp
  static constexpr unsigned kDepth = 16;
  static constexpr unsigned kWarps = 4;  // of a warpgroup

  /// D of products in progress: a warp's tile [kRows, n], and the registers that it will be written
  /// to.
  struct Accumulator {
    std::array<float*, kWarpThreads> registers{};
    unsigned n = 0;
    unsigned users = 0;
    std::vector<float> tile;
  };
  using Bits = std::vector<std::uint16_t>;
  struct Product {
    ProductRequest request;
    std::array<const std::uint32_t*, kWarpThreads> a{};
    Accumulator* accumulator = nullptr;
    std::size_t index = 0;  // among the warpgroup's
    Bits a_bits;            // [kRows, kDepth] as at the issue
    Bits b_bits;            // [n, kDepth] or, MN-major, [kDepth, n]
  };
  struct Warp : public Waitable {
    std::string describe() const override {
      return "wgmma.wait_group, for products that not all four warps have issued";
    }
    bool fenced = false;
    std::size_t issued = 0;
    std::size_t target = 0;  // groups that may stay in progress
    std::vector<Product> open;
    std::deque<std::vector<Product>> groups;
    std::list<Accumulator> accumulators;
    std::vector<unsigned> waiting;
  };
  struct Issued {
    ProductRequest request;
    unsigned warps = 0;
  };
  struct Warpgroup {
    std::vector<Issued> products;
    std::vector<unsigned> stalled;  // warps whose wait needs products that others must issue
  };

  void begin(unsigned warp, const Lanes& lanes);
  void register_issue(unsigned warp, Product& product);
  Accumulator& capture(Warp& warp, const Lanes& lanes);
  Bits a_of(unsigned warp, const Product& product) const;
  Bits b_of(const Product& product) const;
  void retire(unsigned warp);
  void compute(unsigned warp, const Product& product);
  void release(Warp& warp, Accumulator& accumulator);

  Block& block_;
  std::vector<Warp> warps_;
  std::vector<Warpgroup> warpgroups_;
};

}  // namespace crossfix::emulator
