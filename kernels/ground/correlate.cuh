#pragma once

#include <cstddef>

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/ground.hpp"

/// Weighted normalised cross-correlation of views with a tile (ops::match_score).
///
/// Tile: 16 x 32 shifts of one view, for a block of 256 threads. The view is processed in parts of
/// 8 x 16 positions, and a part in chunks of 4 channels. A chunk is stored in shared memory as
/// floats: the view's values times their weights, and the tile's under all shifts of the block, 23
/// x 47 cells. Parts whose weights are all 0 are skipped. A thread owns 8 adjacent shifts and every
/// fourth row of a part; the four threads with the same shifts add up their sums at the end. Along
/// a row of a part a thread keeps the cells under its shifts in registers: each position costs one
/// load of the tile, one of the view, and 32 multiply-adds.
///
/// The rows of cells are an odd number of cells long. The 16 rows of shifts of a warp are therefore
/// an odd number of cells apart, so that eight lanes read from all banks. All lanes of a warp read
/// the same position of the view.
///
/// The energies are computed in the same pass. While a chunk is written to shared memory, the
/// squares of each cell are added to one float. After the last chunk these floats are summed like
/// the products, over the positions that lie in the tile, and so are the view's energies and the
/// weights. All terms are at least 0, so that there is no cancellation.
///
/// Shared memory: 25 KB. Bound: multiply-adds in float, one per channel for each position and
/// shift, and three more for the energies. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kCorrelateThreads = 256;
/// Minimum number of blocks per multiprocessor, which leaves 128 registers per thread.
inline constexpr int kCorrelateBlocks = 2;
inline constexpr int kPatchRows = 16;  ///< of shifts
inline constexpr int kShifts = 8;      ///< adjacent shifts in a row, for one thread
inline constexpr int kPatchColumns = 32;
inline constexpr int kGroups = 4;    ///< threads that share shifts
inline constexpr int kPartRows = 8;  ///< of a view
inline constexpr int kPartColumns = 16;
inline constexpr int kChunk = 4;  ///< channels
inline constexpr int kRegionRows = kPatchRows + kPartRows - 1;
inline constexpr int kRegionColumns = kPatchColumns + kPartColumns - 1;
inline constexpr int kPatchThreads = kPatchRows * kPatchColumns / kShifts;
static_assert(kPatchThreads * kGroups == kCorrelateThreads && kRegionColumns % 2 == 1);

/// Contiguous tile [height, width, channels], views [k, h, w, channels], weights [h, w] and scores
/// [k, height, width].
template <class Element>
struct Correlate {
  const Element* tile;
  const Element* views;
  const float* weights;
  float* scores;
  int height, width, channels, h, w;
  int patches, patches_across;  ///< per view, and per row of patches
};

struct CorrelateShared {
  float4 tile[kRegionRows * kRegionColumns];
  float4 view[kPartRows * kPartColumns];
  float tile_energy[kRegionRows * kRegionColumns];
  float view_energy[kPartRows * kPartColumns];
  float weights[kPartRows * kPartColumns];
  float scratch[kWarp];
};
static_assert(sizeof(float4) * kRegionRows * kRegionColumns >=
              sizeof(float) * kCorrelateThreads * kShifts);

/// The sums of a thread for each of its shifts.
struct CorrelateSums {
  float products[kShifts] = {};
  float tile_energy[kShifts] = {};
  float view_energy[kShifts] = {};
  float weights[kShifts] = {};
};

/// Loads `count` channels or a chunk, whichever is less, and fills up with zeros. kVectors: whole,
/// aligned chunks.
template <bool kVectors, class Element>
__device__ __forceinline__ float4 load_chunk(const Element* from, int count) {
  float values[kChunk];
  if constexpr (kVectors) {
    device::load_vector<kChunk>(from, values);
  } else {
#pragma unroll
    for (int i = 0; i < kChunk; ++i) values[i] = i < count ? device::to_float(from[i]) : 0.0f;
  }
  return make_float4(values[0], values[1], values[2], values[3]);
}

__device__ __forceinline__ float dot_add(const float4& a, const float4& b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

/// A thread's shifts, and a part of the view over them.
struct CorrelateThread {
  int thread, group, row, column;  ///< of the first shift, in the patch
  int part_row, part_column;       ///< in the view
  int rows, columns;               ///< of the part
  int top, left;                   ///< of the part at the patch's first shift, in the tile
};

/// Writes channels [first, first + kChunk) of a part, and of the tile under it, to shared memory.
template <bool kVectors, class Element>
__device__ __forceinline__ void stage_chunk(const Correlate<Element>& c, const Element* view,
                                            const CorrelateThread& at, int first,
                                            CorrelateShared& shared) {
  const float4 zeros = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  const int count = c.channels - first;
  for (int cell = at.thread; cell < kRegionRows * kRegionColumns; cell += kCorrelateThreads) {
    const int row = at.top + cell / kRegionColumns;
    const int column = at.left + cell % kRegionColumns;
    float4 values = zeros;
    if (row >= 0 && row < c.height && column >= 0 && column < c.width) {
      values = load_chunk<kVectors>(c.tile + (Index{row} * c.width + column) * c.channels + first,
                                    count);
    }
    shared.tile[cell] = values;
    const float before = first == 0 ? 0.0f : shared.tile_energy[cell];
    shared.tile_energy[cell] = dot_add(values, values, before);
  }
  if (at.thread >= kPartRows * kPartColumns) return;
  const int row = at.thread / kPartColumns;
  const int column = at.thread % kPartColumns;
  float4 values = zeros;
  if (row < at.rows && column < at.columns) {
    values = load_chunk<kVectors>(
        view + (Index{at.part_row + row} * c.w + at.part_column + column) * c.channels + first,
        count);
  }
  const float weight = shared.weights[at.thread];
  const float4 weighted =
      make_float4(values.x * weight, values.y * weight, values.z * weight, values.w * weight);
  shared.view[at.thread] = weighted;
  const float before = first == 0 ? 0.0f : shared.view_energy[at.thread];
  shared.view_energy[at.thread] = dot_add(values, weighted, before);
}

/// Adds a chunk's products. From one position to the next, the cells under the shifts move by one;
/// they are kept in a circular window in registers.
__device__ __forceinline__ void add_products(const CorrelateThread& at,
                                             const CorrelateShared& shared, CorrelateSums& sums) {
#pragma unroll 1
  for (int i = at.group; i < at.rows; i += kGroups) {
    const float4* cells = shared.tile + (at.row + i) * kRegionColumns + at.column;
    const float4* taps = shared.view + i * kPartColumns;
    float4 window[kShifts];
#pragma unroll
    for (int p = 0; p < kShifts - 1; ++p) window[p] = cells[p];
#pragma unroll 1
    for (int j = 0; j < at.columns; j += kShifts) {
#pragma unroll
      for (int u = 0; u < kShifts; ++u) {
        if (j + u >= at.columns) continue;
        window[(u + kShifts - 1) % kShifts] = cells[j + u + kShifts - 1];
        const float4 tap = taps[j + u];
#pragma unroll
        for (int p = 0; p < kShifts; ++p) {
          sums.products[p] = dot_add(window[(u + p) % kShifts], tap, sums.products[p]);
        }
      }
    }
  }
}

/// Adds a part's energies and weights.
template <class Element>
__device__ __forceinline__ void add_energies(const Correlate<Element>& c, const CorrelateThread& at,
                                             const CorrelateShared& shared, CorrelateSums& sums) {
#pragma unroll 1
  for (int i = at.group; i < at.rows; i += kGroups) {
    const int row = at.top + at.row + i;
    if (row < 0 || row >= c.height) continue;
    const float* cells = shared.tile_energy + (at.row + i) * kRegionColumns + at.column;
#pragma unroll 1
    for (int j = 0; j < at.columns; ++j) {
      const float weight = shared.weights[i * kPartColumns + j];
      const float energy = shared.view_energy[i * kPartColumns + j];
      const int column = at.left + at.column + j;
#pragma unroll
      for (int p = 0; p < kShifts; ++p) {
        sums.tile_energy[p] = fmaf(weight, cells[j + p], sums.tile_energy[p]);
        if (column + p >= 0 && column + p < c.width) {
          sums.view_energy[p] += energy;
          sums.weights[p] += weight;
        }
      }
    }
  }
}

/// Sums of `values` over the threads that share shifts, returned in the threads of the first group.
__device__ __forceinline__ void across_groups(const CorrelateThread& at, float* room,
                                              float (&values)[kShifts]) {
  const int shift = at.thread % kPatchThreads;
  __syncthreads();
#pragma unroll
  for (int p = 0; p < kShifts; ++p) {
    room[(at.group * kShifts + p) * kPatchThreads + shift] = values[p];
  }
  __syncthreads();
  if (at.group > 0) return;
#pragma unroll
  for (int p = 0; p < kShifts; ++p) {
#pragma unroll
    for (int g = 1; g < kGroups; ++g) values[p] += room[(g * kShifts + p) * kPatchThreads + shift];
  }
}

template <class Element, bool kVectors>
__global__ void __launch_bounds__(kCorrelateThreads, kCorrelateBlocks)
    correlate_patch(const Correlate<Element> c) {
  auto& shared = *reinterpret_cast<CorrelateShared*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const int patch = static_cast<int>(blockIdx.x) % c.patches;
  const Index k = static_cast<int>(blockIdx.x) / c.patches;
  const int first_row = patch / c.patches_across * kPatchRows;
  const int first_column = patch % c.patches_across * kPatchColumns;
  const Element* view = c.views + k * c.h * c.w * c.channels;
  CorrelateThread at{};
  at.thread = thread;
  at.group = thread / kPatchThreads;
  at.row = thread % kPatchRows;
  at.column = thread % kPatchThreads / kPatchRows * kShifts;
  CorrelateSums sums;
  float total = 0.0f;
  for (at.part_row = 0; at.part_row < c.h; at.part_row += kPartRows) {
    for (at.part_column = 0; at.part_column < c.w; at.part_column += kPartColumns) {
      at.rows = c.h - at.part_row < kPartRows ? c.h - at.part_row : kPartRows;
      at.columns = c.w - at.part_column < kPartColumns ? c.w - at.part_column : kPartColumns;
      at.top = first_row + at.part_row - c.h / 2;
      at.left = first_column + at.part_column - c.w / 2;
      float weight = 0.0f;
      const int row = thread / kPartColumns;
      const int column = thread % kPartColumns;
      if (row < at.rows && column < at.columns) {
        weight = c.weights[Index{at.part_row + row} * c.w + at.part_column + column];
      }
      __syncthreads();  // the part before this one may still be read
      if (thread < kPartRows * kPartColumns) shared.weights[thread] = weight;
      const float part = device::across_block(weight, shared.scratch, 0.0f, device::Add{});
      if (part == 0.0f) continue;
      total += part;
      for (int first = 0; first < c.channels; first += kChunk) {
        if (first > 0) __syncthreads();  // the chunk before this one may still be read
        stage_chunk<kVectors>(c, view, at, first, shared);
        __syncthreads();
        add_products(at, shared, sums);
      }
      add_energies(c, at, shared, sums);
    }
  }
  auto* room = reinterpret_cast<float*>(shared.tile);
  across_groups(at, room, sums.products);
  across_groups(at, room, sums.tile_energy);
  across_groups(at, room, sums.view_energy);
  across_groups(at, room, sums.weights);
  const int row = first_row + at.row;
  if (at.group > 0 || row >= c.height) return;
  float* scores = c.scores + (k * c.height + row) * c.width;
#pragma unroll
  for (int p = 0; p < kShifts; ++p) {
    const int column = first_column + at.column + p;
    if (column >= c.width) break;
    scores[column] = ops::match_score(sums.products[p], sums.tile_energy[p], sums.view_energy[p],
                                      sums.weights[p] / total);
  }
}

}  // namespace crossfix::kernels
