#pragma once

#include <cstddef>

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"

/// Residual addition and LayerNorm.
///
/// Tile: a row, kept in registers, so that mean and variance are computed one after the other
/// without a second read. The variance sums squared differences from the mean, which stays exact
/// for rows far from zero.
/// - warp: up to kNormFloats channels per lane. One warp per row, kNormWarpThreads per block. No
///   shared memory.
/// - block: up to kNormFloats channels for each of kNormBlockThreads threads per row. Shared
///   memory: the sums of the warps, then those of their squares (kNormSharedBytes).
///
/// Ownership: thread t of a row holds vectors t, t + threads, ... of four floats, so that a warp's
/// loads are adjacent; or of single floats if rows are not 16-byte aligned. A whole row is read
/// before any of it is written: y may be x or r.
///
/// Bound: bytes; a channel of a token costs 4 (x) + 4 (r) + 4 (y) + 2 (z, 16 bits). Scale and shift
/// stay in L1. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kNormWarpThreads = 256;
inline constexpr int kNormBlockThreads = 256;
inline constexpr int kNormFloats = 32;  ///< floats of a row per thread
inline constexpr std::size_t kNormSharedBytes = 2 * kWarp * sizeof(float);

/// Rows of x (+ r), y and z; strides in elements.
template <class Element>
struct NormRows {
  const float* x;
  const float* r;  ///< null if there is none
  float* y;
  Element* z;
  Index x_stride, r_stride, y_stride, z_stride;
  Index rows;
  const float* scale;
  const float* shift;
  int channels;
  float epsilon;
};

/// The part of a row in one of `threads` threads: kSlots vectors of kWidth sums x (+ r).
template <class Element, int kWidth, int kSlots>
struct NormPart {
  float at[kSlots][kWidth];

  __device__ __forceinline__ static int channel(int slot, int thread, int threads) {
    return (slot * threads + thread) * kWidth;
  }

  /// Loads the sums; zeros beyond the row.
  __device__ __forceinline__ void load(const NormRows<Element>& rows, Index row, int thread,
                                       int threads) {
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
      const int c = channel(s, thread, threads);
      device::load_part<kWidth>(rows.x + row * rows.x_stride + c, rows.channels - c, 0.0f, at[s]);
    }
    if (rows.r == nullptr) return;
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
      const int c = channel(s, thread, threads);
      float added[kWidth];
      device::load_part<kWidth>(rows.r + row * rows.r_stride + c, rows.channels - c, 0.0f, added);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) at[s][i] += added[i];
    }
  }

  __device__ __forceinline__ float sum() const {
    float total = 0.0f;
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) total += at[s][i];
    }
    return total;
  }

  __device__ __forceinline__ float squares_about(float mean, int channels, int thread,
                                                 int threads) const {
    float total = 0.0f;
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        const float d = at[s][i] - mean;
        if (channel(s, thread, threads) + i < channels) total = fmaf(d, d, total);
      }
    }
    return total;
  }

  __device__ __forceinline__ void store(const NormRows<Element>& rows, Index row, float mean,
                                        float inverse, int thread, int threads) {
#pragma unroll
    for (int s = 0; s < kSlots; ++s) {
      const int c = channel(s, thread, threads);
      const int count = rows.channels - c;
      float scale[kWidth];
      float shift[kWidth];
      device::load_part<kWidth>(rows.scale + c, count, 0.0f, scale);
      device::load_part<kWidth>(rows.shift + c, count, 0.0f, shift);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        at[s][i] = fmaf((at[s][i] - mean) * inverse, scale[i], shift[i]);
      }
      device::store_part<kWidth>(rows.y + row * rows.y_stride + c, count, at[s]);
      device::store_part<kWidth>(rows.z + row * rows.z_stride + c, count, at[s]);
    }
  }
};

__device__ __forceinline__ float inverse_deviation(float squares, int channels, float epsilon) {
  return 1.0f / sqrtf(squares / static_cast<float>(channels) + epsilon);
}

/// One warp per row.
template <class Element, int kWidth, int kSlots>
__global__ void __launch_bounds__(kNormWarpThreads) layer_norm_warp(const NormRows<Element> rows) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const Index row = static_cast<Index>(blockIdx.x) * (kNormWarpThreads / kWarp) +
                    static_cast<Index>(threadIdx.x) / kWarp;
  if (row >= rows.rows) return;
  NormPart<Element, kWidth, kSlots> part;
  part.load(rows, row, lane, kWarp);
  const float sum = device::across_lanes(part.sum(), kWarp, device::Add{});
  const float mean = sum / static_cast<float>(rows.channels);
  const float squares = device::across_lanes(part.squares_about(mean, rows.channels, lane, kWarp),
                                             kWarp, device::Add{});
  part.store(rows, row, mean, inverse_deviation(squares, rows.channels, rows.epsilon), lane, kWarp);
}

/// One block per row.
template <class Element, int kWidth, int kSlots>
__global__ void __launch_bounds__(kNormBlockThreads)
    layer_norm_block(const NormRows<Element> rows) {
  auto* scratch = reinterpret_cast<float*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  const Index row = blockIdx.x;
  NormPart<Element, kWidth, kSlots> part;
  part.load(rows, row, thread, threads);
  const float sum = device::across_block(part.sum(), scratch, 0.0f, device::Add{});
  const float mean = sum / static_cast<float>(rows.channels);
  const float squares =
      device::across_block(part.squares_about(mean, rows.channels, thread, threads),
                           scratch + kWarp, 0.0f, device::Add{});
  part.store(rows, row, mean, inverse_deviation(squares, rows.channels, rows.epsilon), thread,
             threads);
}

}  // namespace crossfix::kernels
