#pragma once

#include <cstddef>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"

/// Softmax along the last axis.
///
/// Tile: a row. There are three kernels, chosen by its length:
/// - lanes: adjacent lanes, up to a whole warp, hold a row in registers, kSoftmaxLanesFloats each;
///   short rows share a warp. No shared memory.
/// - block: up to kSoftmaxBlockThreads threads hold a row in registers, kSoftmaxBlockFloats each,
///   which is what the register file allows for this many threads. Shared memory: one softmax state
///   per warp (kSoftmaxSharedBytes).
/// - long: any length. kSoftmaxBlockThreads threads read a row twice, kSoftmaxStepFloats each per
///   step: once for the sum, once for the result. The second read comes from the L2 cache: the rows
///   in progress, one or two per multiprocessor, have 256 KB each at 65,536 floats. Shared memory
///   as above.
///
/// Ownership: thread t of a row holds vectors t, t + threads, ... of 16 bytes each, so that a
/// warp's loads are adjacent; or single elements if rows are not 16-byte aligned. Each thread has
/// an online softmax over its part. The states are merged across lanes, then across warps.
///
/// Bound: bytes, each element read once and written once (`long`: also read once from L2). One exp2
/// per element, two in `long`. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kSoftmaxLanesThreads = 256;
inline constexpr int kSoftmaxBlockThreads = 1024;
inline constexpr int kSoftmaxLanesFloats = 32;  ///< floats of a row per thread in `lanes`
template <int kWidth>
inline constexpr int kSoftmaxBlockFloats = kWidth == 1 ? 8 : 4 * kWidth;  ///< per thread in `block`
inline constexpr int kSoftmaxStepFloats = 16;  ///< per thread and step in `long`

using SoftmaxState = ops::OnlineSoftmax<device::SoftmaxMath>;
inline constexpr std::size_t kSoftmaxSharedBytes = kWarp * sizeof(SoftmaxState);

/// Rows of x, bias and y; strides in elements. Scores are in units of log 2.
template <class Element>
struct SoftmaxRows {
  const Element* x;
  const float* bias;  ///< null if there is none
  Element* y;
  Index x_stride, bias_stride, y_stride;
  Index rows, bias_rows;
  int columns;
  float scale;  ///< of x, times log2(e)
};

/// The part of a row, from `begin` on, in one of `threads` threads: kSlots vectors of kWidth
/// scores.
template <class Element, int kWidth, int kSlots>
struct SoftmaxPart {
  float at[kSlots][kWidth];

  __device__ __forceinline__ static int column(int begin, int slot, int thread, int threads) {
    return begin + (slot * threads + thread) * kWidth;
  }

  /// Loads scores; beyond the row -inf, which has no weight.
  __device__ __forceinline__ void load(const SoftmaxRows<Element>& rows, const Element* x,
                                       const float* bias, int begin, int thread, int threads) {
    constexpr float kNothing = -__builtin_inff();
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
      const int first = column(begin, s, thread, threads);
      device::load_part<kWidth>(x + first, rows.columns - first, 0.0f, at[s]);
    }
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
      const int first = column(begin, s, thread, threads);
      float added[kWidth] = {};
      if (bias != nullptr) {
        device::load_part<kWidth>(bias + first, rows.columns - first, 0.0f, added);
      }
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        const float score = fmaf(at[s][i], rows.scale, added[i] * kLog2E);
        at[s][i] = first + i < rows.columns ? score : kNothing;
      }
    }
  }

  /// Updates `state` with the largest of the scores.
  __device__ __forceinline__ void update_maximum(SoftmaxState& state) const {
    float largest = at[0][0];
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) largest = device::SoftmaxMath::maximum(largest, at[s][i]);
    }
    state.update_maximum(largest);
  }

  /// Replaces scores by their weights under `state`; returns the sum.
  __device__ __forceinline__ float weigh(const SoftmaxState& state) {
    float sum = 0.0f;
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        at[s][i] = state.weight(at[s][i]);
        sum += at[s][i];
      }
    }
    return sum;
  }

  __device__ __forceinline__ void store(const SoftmaxRows<Element>& rows, Element* y, float factor,
                                        int begin, int thread, int threads) {
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) at[s][i] *= factor;
      const int first = column(begin, s, thread, threads);
      device::store_part<kWidth>(y + first, rows.columns - first, at[s]);
    }
  }
};

template <class Element>
__device__ __forceinline__ const float* softmax_bias(const SoftmaxRows<Element>& rows, Index row) {
  if (rows.bias == nullptr) return nullptr;
  return rows.bias + row % rows.bias_rows * rows.bias_stride;
}

/// `lanes` (a power of two) lanes per row.
template <class Element, int kWidth, int kSlots>
__global__ void __launch_bounds__(kSoftmaxLanesThreads)
    softmax_lanes(const SoftmaxRows<Element> rows, int lanes) {
  const int thread = static_cast<int>(threadIdx.x) % lanes;
  const Index row = static_cast<Index>(blockIdx.x) * (kSoftmaxLanesThreads / lanes) +
                    static_cast<Index>(threadIdx.x) / lanes;
  SoftmaxPart<Element, kWidth, kSlots> part;
  SoftmaxState own;
  if (row < rows.rows) {
    part.load(rows, rows.x + row * rows.x_stride, softmax_bias(rows, row), 0, thread, lanes);
    part.update_maximum(own);
    own.sum = part.weigh(own);
  }
  const SoftmaxState whole = device::across_lanes(own, lanes, device::Merge{});
  if (row < rows.rows) {
    // If all scores are -inf: 0 / 0, the NaN that the formula gives.
    const float factor = whole.weight(own.maximum) / whole.sum;
    part.store(rows, rows.y + row * rows.y_stride, factor, 0, thread, lanes);
  }
}

/// One block per row.
template <class Element, int kWidth, int kSlots>
__global__ void __launch_bounds__(kSoftmaxBlockThreads)
    softmax_block(const SoftmaxRows<Element> rows) {
  auto* scratch = reinterpret_cast<SoftmaxState*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  const Index row = blockIdx.x;
  SoftmaxPart<Element, kWidth, kSlots> part;
  SoftmaxState own;
  part.load(rows, rows.x + row * rows.x_stride, softmax_bias(rows, row), 0, thread, threads);
  part.update_maximum(own);
  own.sum = part.weigh(own);
  const SoftmaxState whole = device::across_block(own, scratch, SoftmaxState{}, device::Merge{});
  const float factor = whole.weight(own.maximum) / whole.sum;
  part.store(rows, rows.y + row * rows.y_stride, factor, 0, thread, threads);
}

/// One block per row, which is read twice.
template <class Element, int kWidth, int kSlots>
__global__ void __launch_bounds__(kSoftmaxBlockThreads)
    softmax_long(const SoftmaxRows<Element> rows) {
  constexpr int kStep = kSoftmaxBlockThreads * kWidth * kSlots;
  auto* scratch = reinterpret_cast<SoftmaxState*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const Index row = blockIdx.x;
  const Element* x = rows.x + row * rows.x_stride;
  const float* bias = softmax_bias(rows, row);
  Element* y = rows.y + row * rows.y_stride;
  SoftmaxPart<Element, kWidth, kSlots> part;
  SoftmaxState own;
  for (int begin = 0; begin < rows.columns; begin += kStep) {
    part.load(rows, x, bias, begin, thread, kSoftmaxBlockThreads);
    part.update_maximum(own);
    own.sum += part.weigh(own);
  }
  const SoftmaxState whole = device::across_block(own, scratch, SoftmaxState{}, device::Merge{});
  const float factor = 1.0f / whole.sum;
  for (int begin = 0; begin < rows.columns; begin += kStep) {
    part.load(rows, x, bias, begin, thread, kSoftmaxBlockThreads);
    part.weigh(whole);
    part.store(rows, y, factor, begin, thread, kSoftmaxBlockThreads);
  }
}

}  // namespace crossfix::kernels
