#pragma once

#include <omp.h>

#include <algorithm>

#include "crossfix/core/eigen.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// Rows, columns and depth of one Eigen product. At these sizes Eigen keeps its packed blocks on
/// the stack (below its limit of 128 KB each), so that a product allocates nothing.
inline constexpr Index kTileRows = 96;
inline constexpr Index kTileColumns = 96;
inline constexpr Index kTileDepth = 256;

/// Scratch memory, in bytes, of `product_of_rows` for one thread: a tile's gathered rows and its
/// sums.
inline std::size_t product_scratch_bytes(Index depth, Index columns) {
  return static_cast<std::size_t>(kTileRows * (depth + columns)) * sizeof(float);
}

/// For each row: calls `gather(row, values[depth])`, computes sums = values weights^T (weights
/// [columns, depth]), and calls `finish(row, sums[columns])`. Uses up to `threads` threads.
template <class Gather, class Finish>
void product_of_rows(Context& context, int threads, Index rows,
                     const TensorView<const float, 2>& weights, Gather gather, Finish finish) {
  const Index columns = weights.extent(0);
  const Index depth = weights.extent(1);
  const int workers = std::min(threads, context.threads());
  const std::size_t bytes = product_scratch_bytes(depth, columns);
  std::byte* scratch = context.scratch(bytes * static_cast<std::size_t>(workers));
  const auto w = as_eigen(weights);
#pragma omp parallel for schedule(static) num_threads(workers)
  for (Index begin = 0; begin < rows; begin += kTileRows) {
    const Index count = std::min(kTileRows, rows - begin);
    auto* values =
        reinterpret_cast<float*>(scratch + bytes * static_cast<std::size_t>(omp_get_thread_num()));
    float* sums = values + kTileRows * depth;
    for (Index row = 0; row < count; ++row) gather(begin + row, values + row * depth);
    // Eigen sums the product of a single row in another order than those of several rows.
    const Index computed = std::max<Index>(count, 2);
    if (count < computed) std::fill_n(values + depth, depth, 0.0F);
    const auto a = as_eigen(TensorView<const float, 2>(values, {computed, depth}));
    auto c = as_eigen(TensorView<float, 2>(sums, {computed, columns}));
    c.setZero();
    for (Index k = 0; k < depth; k += kTileDepth) {
      const Index ks = std::min(kTileDepth, depth - k);
      for (Index n = 0; n < columns; n += kTileColumns) {
        const Index ns = std::min(kTileColumns, columns - n);
        c.middleCols(n, ns).noalias() += a.middleCols(k, ks) * w.block(n, k, ns, ks).transpose();
      }
    }
    for (Index row = 0; row < count; ++row) finish(begin + row, sums + row * columns);
  }
}

}  // namespace crossfix::cpu
