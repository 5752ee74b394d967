#pragma once

#include <cstddef>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"

/// Log-sum-exp along both axes of a matrix: marginals of a posterior.
///
/// Tile: 256 columns, one per thread, or one row, for a block of 256 threads. One launch has blocks
/// of both kinds. Each block reads its scores twice, for the largest and for the sum; the second
/// read comes from L2. The threads of a row read every 256th score, so that a warp's loads are
/// adjacent. They are also adjacent if each thread owns a column. Shared memory: one float per
/// warp. Bound: the latency of one block that reads a row, 8,281 scores in 33 steps, twice. Not yet
/// measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kLogSumThreads = 256;
inline constexpr std::size_t kLogSumSharedBytes = kWarp * sizeof(float);

/// scores [rows, columns], contiguous, bias [rows]; blocks from `column_blocks` on own rows.
struct LogSumExp {
  const float* scores;
  const float* bias;
  float* of_rows;
  float* of_columns;
  int rows, columns, column_blocks;
  float scale;
};

/// exp(scale (score - largest)).
__device__ __forceinline__ float log_sum_weight(const LogSumExp& l, float score, float largest) {
  return device::exp2_approx((score - largest) * (l.scale * kLog2E));
}

__device__ __forceinline__ float biased_score(const LogSumExp& l, int row, int column) {
  return l.scores[Index{row} * l.columns + column] + l.bias[row];
}

__device__ __forceinline__ void log_sum_column(const LogSumExp& l) {
  const int column = static_cast<int>(blockIdx.x) * kLogSumThreads + static_cast<int>(threadIdx.x);
  if (column >= l.columns) return;
  float largest = biased_score(l, 0, column);
  for (int r = 1; r < l.rows; ++r) largest = fmaxf(largest, biased_score(l, r, column));
  float sum = 0.0f;
  for (int r = 0; r < l.rows; ++r) sum += log_sum_weight(l, biased_score(l, r, column), largest);
  l.of_columns[column] = fmaf(largest, l.scale, logf(sum));
}

__device__ __forceinline__ void log_sum_row(const LogSumExp& l) {
  auto* scratch = reinterpret_cast<float*>(device::shared_memory());
  const int row = static_cast<int>(blockIdx.x) - l.column_blocks;
  const int thread = static_cast<int>(threadIdx.x);
  float largest = biased_score(l, row, 0);
  for (int c = thread; c < l.columns; c += kLogSumThreads) {
    largest = fmaxf(largest, biased_score(l, row, c));
  }
  largest = device::across_block(largest, scratch, -__builtin_inff(), device::Maximum{});
  float sum = 0.0f;
  for (int c = thread; c < l.columns; c += kLogSumThreads) {
    sum += log_sum_weight(l, biased_score(l, row, c), largest);
  }
  __syncthreads();  // the scratch memory may still be read for the largest
  sum = device::across_block(sum, scratch, 0.0f, device::Add{});
  if (thread == 0) l.of_rows[row] = fmaf(largest, l.scale, logf(sum));
}

__global__ void __launch_bounds__(kLogSumThreads) log_sum_exp_axes(const LogSumExp l) {
  if (static_cast<int>(blockIdx.x) < l.column_blocks) {
    log_sum_column(l);
  } else {
    log_sum_row(l);
  }
}

}  // namespace crossfix::kernels
