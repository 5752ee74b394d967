#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "crossfix/core/math.hpp"
#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/shape.hpp"

/// Layouts of the Hopper attention kernel: shared memory, fragments, descriptors, order of work.
/// Plain arithmetic, so that tests can check it without a device.
namespace crossfix::kernels {

/// Threads of a warpgroup, and rows of its matrix product.
inline constexpr int kWarpgroupThreads = 128;
inline constexpr int kWarpgroupRows = 64;
/// Bytes of an element; the kernel supports 16-bit elements.
inline constexpr int kElementBytes = 2;
/// Depth, in elements, of one matrix instruction.
inline constexpr int kDepth = 16;
/// Registers of a multiprocessor, and the unit in which threads get them.
inline constexpr int kRegisterFile = 65536;
inline constexpr int kRegisterUnit = 8;
/// Shared memory available to a block on sm_90, bytes.
inline constexpr int kSharedLimit = 232448;
/// Period of the swizzle patterns, bytes.
inline constexpr int kSwizzlePeriod = 1024;

/// Tile sizes of the kernel, a template argument with named fields.
struct HopperTile {
  int dim;        ///< head dimension
  int consumers;  ///< warpgroups that compute; one more loads
  int keys;       ///< per tile
  int stages;     ///< number of tiles of keys, and of values, in flight
  /// True: the consumers share 64 queries, process tiles of keys in turn, and merge their results
  /// at the end. False: each consumer has its own 64 queries and processes every tile.
  bool share_rows = false;
  /// The product with the values runs concurrently with the next tile's scores.
  bool overlap = false;
  int loader_registers;    ///< Registers per thread of the loader, after the roles are assigned.
  int consumer_registers;  ///< Registers per thread of a consumer, after the roles are assigned.
};

/// Constants derived from a tile, checked against the limits of a block.
template <HopperTile kTile>
struct HopperLayout {
  static constexpr int kDim = kTile.dim;
  static constexpr int kConsumers = kTile.consumers;
  static constexpr int kKeys = kTile.keys;
  static constexpr int kStages = kTile.stages;
  static constexpr bool kShareRows = kTile.share_rows;
  static constexpr bool kOverlap = kTile.overlap;
  static constexpr int kLoaderRegisters = kTile.loader_registers;
  static constexpr int kConsumerRegisters = kTile.consumer_registers;

  static constexpr int kRows = kShareRows ? kWarpgroupRows : kWarpgroupRows * kConsumers;
  static constexpr int kThreads = kWarpgroupThreads * (kConsumers + 1);
  /// Query blocks in flight: the next one is loaded while the current one is processed.
  static constexpr int kQueryStages = 2;

  /// Elements of a row in shared memory, and its bytes, which are the swizzle's span. A head of 128
  /// is stored as two panels of 64.
  static constexpr int kPanel = kDim < 64 ? kDim : 64;
  static constexpr int kPanels = kDim / kPanel;
  static constexpr int kSpan = kPanel * kElementBytes;

  static constexpr int kQueryBytes = kRows * kDim * kElementBytes;
  static constexpr int kTileBytes = kKeys * kDim * kElementBytes;

  // The shared-memory map, bytes: queries, keys, values, exchange area of the consumers, barriers,
  // a flag.
  static constexpr int kQueryAt = 0;
  static constexpr int kKeyAt = kQueryAt + kQueryStages * kQueryBytes;
  static constexpr int kValueAt = kKeyAt + kStages * kTileBytes;
  static constexpr int kExchangeAt = kValueAt + kStages * kTileBytes;
  /// One consumer's sums: an accumulator row of kDim / 2 floats and two pairs (maximum, sum) per
  /// thread.
  static constexpr int kExchangeFloats = kDim / 2 + 4;
  static constexpr int kExchangeBytes =
      kShareRows ? (kConsumers - 1) * kWarpgroupThreads * kExchangeFloats * 4 : 0;
  static constexpr int kBarrierAt = kExchangeAt + kExchangeBytes;
  static constexpr int kBarriers = 2 * kQueryStages + 4 * kStages;
  static constexpr int kFlagAt = kBarrierAt + kBarriers * 8;
  static constexpr int kSharedBytes = kFlagAt + 8;

  static_assert(kDim % kDepth == 0 && kDim % kPanel == 0 && (kSpan == 64 || kSpan == 128));
  static_assert(kRows <= 256 && kKeys <= 256, "a copy's box has at most 256 rows");
  static_assert(kQueryBytes % kSwizzlePeriod == 0 && kTileBytes % kSwizzlePeriod == 0);
  static_assert(kWarpgroupRows * kSpan % kSwizzlePeriod == 0 && kDepth * kSpan % 1024 == 0);
  static_assert(kSharedBytes <= kSharedLimit);
  // The register pool is what the launch assigns: equal shares, rounded down. A request for more
  // would wait forever.
  static constexpr int kPool =
      kThreads * (kRegisterFile / kThreads / kRegisterUnit * kRegisterUnit);
  static_assert(kWarpgroupThreads * (kLoaderRegisters + kConsumers * kConsumerRegisters) <= kPool);
  static_assert(kLoaderRegisters % kRegisterUnit == 0 && kConsumerRegisters % kRegisterUnit == 0);
  static_assert(!kShareRows || kConsumers == 2, "two consumers merge");

  /// First byte of panel `panel` of a tile of `rows` rows.
  static constexpr int panel_offset(int panel, int rows) { return panel * rows * kSpan; }

  /// Offset, in bytes, of the data of depth step `step` from the start of a K-major tile of `rows`
  /// rows.
  CROSSFIX_HOST_DEVICE static constexpr int depth_offset(int step, int rows) {
    constexpr int kStepsOfPanel = kPanel / kDepth;
    return (step / kStepsOfPanel) * rows * kSpan + (step % kStepsOfPanel) * kDepth * kElementBytes;
  }
};

/// The kernel's configurations. Registers and spills were checked with ptxas of CUDA 13.0. The
/// choice between them is an estimate, not yet measured.
inline constexpr HopperTile kWide32{.dim = 32,
                                    .consumers = 4,
                                    .keys = 128,
                                    .stages = 4,
                                    .loader_registers = 24,
                                    .consumer_registers = 112};
inline constexpr HopperTile kMedium32{.dim = 32,
                                      .consumers = 2,
                                      .keys = 256,
                                      .stages = 3,
                                      .overlap = true,
                                      .loader_registers = 24,
                                      .consumer_registers = 240};
inline constexpr HopperTile kShared32{.dim = 32,
                                      .consumers = 2,
                                      .keys = 128,
                                      .stages = 6,
                                      .share_rows = true,
                                      .overlap = true,
                                      .loader_registers = 24,
                                      .consumer_registers = 240};
inline constexpr HopperTile kTile64{.dim = 64,
                                    .consumers = 3,
                                    .keys = 128,
                                    .stages = 4,
                                    .overlap = true,
                                    .loader_registers = 24,
                                    .consumer_registers = 160};
inline constexpr HopperTile kTile128{.dim = 128,
                                     .consumers = 2,
                                     .keys = 128,
                                     .stages = 2,
                                     .overlap = true,
                                     .loader_registers = 24,
                                     .consumer_registers = 240};
using Wide32 = HopperLayout<kWide32>;
using Medium32 = HopperLayout<kMedium32>;
using Shared32 = HopperLayout<kShared32>;
using Tile64 = HopperLayout<kTile64>;
using Tile128 = HopperLayout<kTile128>;

/// A shared-memory matrix descriptor (PTX ISA, "matrix descriptor") without the address, which is
/// in units of 16 bytes and fills bits 0 to 13. Shared memory ends below 2^18, so that an offset
/// may be added to a descriptor.
template <int kSpan>
CROSSFIX_HOST_DEVICE constexpr std::uint64_t descriptor_base(int leading_bytes, int stride_bytes) {
  constexpr std::uint64_t kSwizzleCode = kSpan == 128 ? 1 : kSpan == 64 ? 2 : 3;
  return (static_cast<std::uint64_t>(leading_bytes >> 4) << 16) |
         (static_cast<std::uint64_t>(stride_bytes >> 4) << 32) | (kSwizzleCode << 62);
}
CROSSFIX_HOST_DEVICE constexpr std::uint64_t descriptor_address(std::uint32_t shared_address) {
  return (shared_address & 0x3ffffu) >> 4;
}

/// Row, within the 64 of a warpgroup, of accumulator half `half` (0 or 1) of thread `thread`.
CROSSFIX_HOST_DEVICE constexpr int accumulator_row(int thread, int half) {
  return thread / 32 * 16 + thread % 32 / 4 + 8 * half;
}
/// Column of accumulator d[4 block + 2 half + pair].
CROSSFIX_HOST_DEVICE constexpr int accumulator_column(int thread, int block, int pair) {
  return 8 * block + 2 * (thread % 4) + pair;
}

/// One block of queries of one head.
struct WorkItem {
  int batch = 0;
  int head = 0;
  int query_block = 0;
};
/// Blocks of one head are adjacent, so that blocks that run concurrently share keys and values in
/// the L2 cache.
CROSSFIX_HOST_DEVICE constexpr WorkItem work_item(int index, int heads, int query_blocks) {
  const int of_head = index / query_blocks;
  return {of_head / heads, of_head % heads, index % query_blocks};
}

/// Estimated time of a tile configuration, in scores: the number of rounds of the device over all
/// work items, times the sum of a start-up cost and (queries times covered keys).
struct TileCost {
  int rows;
  int keys;
  double rate;  ///< relative scores per clock of a multiprocessor; estimates, not yet measured
  constexpr double operator()(Index heads, Index queries, Index keys_in_all,
                              int multiprocessors) const {
    constexpr double kStart = 8192;  // cost, in scores, of filling and draining a block's pipeline
    const Index blocks = ceil_div<Index>(queries, rows) * heads;
    const Index rounds = ceil_div<Index>(blocks, multiprocessors);
    const Index covered = round_up_to<Index>(keys_in_all, keys);
    return static_cast<double>(rounds) * (static_cast<double>(rows * covered) / rate + kStart);
  }
};

/// Configurations for a head dimension of 32.
enum class Choice32 { wide, medium, shared };

/// The configuration with the smallest estimated time. `heads` is batch times heads.
constexpr Choice32 choose32(Index heads, Index queries, Index keys, int multiprocessors) {
  const double wide =
      TileCost{Wide32::kRows, Wide32::kKeys, 1.0}(heads, queries, keys, multiprocessors);
  const double medium =
      TileCost{Medium32::kRows, Medium32::kKeys, 0.9}(heads, queries, keys, multiprocessors);
  const double shared =
      TileCost{Shared32::kRows, Shared32::kKeys, 0.85}(heads, queries, keys, multiprocessors);
  if (shared < wide && shared < medium) return Choice32::shared;
  return medium < wide ? Choice32::medium : Choice32::wide;
}

}  // namespace crossfix::kernels
