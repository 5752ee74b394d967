#pragma once

#include "crossfix/core/math.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// One block's work: a tile of queries of one head.
struct AttentionWork {
  Index batch;
  Index head;
  int first_query;
};

/// Number of blocks of a launch: one block for each tile of `tile` queries of each head.
template <class T>
constexpr Index work_count(const AttentionArguments<T>& arguments, Index tile) {
  return arguments.batch * arguments.heads * ceil_div<Index>(arguments.queries, tile);
}

/// The work of block `block`. Tiles of one head are consecutive, so that blocks that run
/// concurrently read the same keys and values from the L2 cache.
template <class T>
CROSSFIX_HOST_DEVICE constexpr AttentionWork work_of(const AttentionArguments<T>& arguments,
                                                     unsigned block, int tile) {
  const auto tiles = static_cast<unsigned>(ceil_div(arguments.queries, tile));
  const auto heads = static_cast<unsigned>(arguments.heads);
  const unsigned head = block / tiles;
  return {static_cast<Index>(head / heads), static_cast<Index>(head % heads),
          static_cast<int>(block % tiles) * tile};
}

}  // namespace crossfix::kernels
