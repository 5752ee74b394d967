#pragma once

// Attention for float on the CUDA cores: every product and sum is computed in float, nothing is
// rounded to a shorter type. It serves to check the other kernels, and for cases where their
// precision is not sufficient.
//
// Tile. A block of 256 threads computes 64 queries of one head against all keys, kKeys = 64 at a
// time (32 if dim is above 64). Threads form a 16 x 16 square. Thread (ty, tx) owns rows 4 ty to 4
// ty + 3. Of the scores it owns columns tx, tx + 16, ... Of the output it owns kDim / 16 columns,
// with the same stride or, if there are at least 4, in runs of 4 (16 bytes). The threads of a row
// thus read adjacent words of the values. The softmax of a row is shared by its 16 threads, half a
// warp.
//
// Shared memory, floats. Rows are padded by 4, so that 8 rows cover all banks:
//   queries  64 x (kDim + 4)
//   keys     kKeys x (kDim + 4)
//   values   kKeys x kDim
//   weights  64 x (kKeys + 4)     (a half warp writes and reads its own 4 rows)
// 30, 43, 68 and 78 KB for kDim 16, 32, 64 and 128. Loads are plain, one element each, so that any
// alignment is allowed. Rows and columns past the end become zeros, and the scores of keys past the
// end become -inf before the maximum is computed.
//
// Bound. 4 kDim operations per score on the CUDA cores, 256 per clock on a multiprocessor (128 on
// an A100). Not yet measured.

#include "crossfix/core/math.hpp"
#include "crossfix/kernels/attention/schedule.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/online_softmax.hpp"

namespace crossfix::kernels {

/// Tile sizes of the kernel, a template argument with named fields.
struct ExactTile {
  int dim;       ///< a multiple of 16 that is at least the head dimension
  int rows = 4;  ///< rows of queries per thread
  int keys;      ///< per tile, a multiple of 16
};

inline constexpr ExactTile kExact16{.dim = 16, .keys = 64};
inline constexpr ExactTile kExact32{.dim = 32, .keys = 64};
inline constexpr ExactTile kExact64{.dim = 64, .keys = 64};
inline constexpr ExactTile kExact128{.dim = 128, .keys = 32};

/// Constants derived from a tile, checked against the limits of a block.
template <ExactTile kTile>
struct ExactLayout {
  static constexpr int kDim = kTile.dim;
  static constexpr int kSide = 16;  // of the square of threads
  static constexpr int kThreads = kSide * kSide;
  static constexpr int kRows = kTile.rows;  // per thread
  static constexpr int kQueries = kSide * kRows;
  static constexpr int kKeys = kTile.keys;
  static constexpr int kColumns = kKeys / kSide;  // columns of scores per thread
  // per thread, in runs of kRun adjacent columns
  static constexpr int kOutputColumns = kDim / kSide;
  static constexpr int kRun = kOutputColumns >= 4 ? 4 : 1;

  static constexpr int kPadding = 4;
  static constexpr int kRowStride = kDim + kPadding;
  static constexpr int kWeightStride = kKeys + kPadding;
  static constexpr int kKeyOffset = kQueries * kRowStride;
  static constexpr int kValueOffset = kKeyOffset + kKeys * kRowStride;
  static constexpr int kWeightOffset = kValueOffset + kKeys * kDim;
  static constexpr int kSharedBytes = 4 * (kWeightOffset + kQueries * kWeightStride);
  static_assert(kSharedBytes <= 99 * 1024, "more than a block may have on compute capability 8.6");
};

/// The rows of one thread.
template <class Tile>
struct ExactAttention {
  using Softmax = ops::OnlineSoftmax<device::SoftmaxMath>;
  static constexpr int kRows = Tile::kRows;
  static constexpr int kColumns = Tile::kColumns;

  float* shared;
  int first_row;  // of the thread's four rows, in the tile
  int column;     // the thread's index in a row of threads

  float output[kRows][Tile::kOutputColumns] = {};
  Softmax softmax[kRows];  // sums over this thread's columns

  __device__ __forceinline__ explicit ExactAttention(unsigned char* memory)
      : shared(reinterpret_cast<float*>(memory)),
        first_row(static_cast<int>(threadIdx.x) / Tile::kSide * kRows),
        column(static_cast<int>(threadIdx.x) % Tile::kSide) {}

  /// Copies kTokens tokens from `first` on to rows of kStride floats. Writes zeros past the end of
  /// the tokens and of a row.
  template <int kTokens, int kStride>
  __device__ __forceinline__ void load(int offset, const float* head, Index token_stride, int first,
                                       int tokens, int dim) const {
#pragma unroll 4
    for (int i = 0; i < kTokens * Tile::kDim / Tile::kThreads; ++i) {
      const int at = i * Tile::kThreads + static_cast<int>(threadIdx.x);
      const int row = at / Tile::kDim;
      const int d = at % Tile::kDim;
      const bool valid = first + row < tokens && d < dim;
      shared[offset + row * kStride + d] = valid ? head[(first + row) * token_stride + d] : 0.0f;
    }
  }

  /// scores = scale q k^T, in units of log 2; -inf for the keys from `keys` on.
  __device__ __forceinline__ void score(float (&scores)[kRows][kColumns], float scale,
                                        int keys) const {
#pragma unroll 4
    for (int d = 0; d < Tile::kDim; d += 4) {
      float4 q[kRows];
#pragma unroll
      for (int r = 0; r < kRows; ++r) q[r] = four((first_row + r) * Tile::kRowStride + d);
#pragma unroll
      for (int c = 0; c < kColumns; ++c) {
        const float4 k = four(Tile::kKeyOffset + (column + c * Tile::kSide) * Tile::kRowStride + d);
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          float sum = scores[r][c];
          sum = fmaf(q[r].x, k.x, sum);
          sum = fmaf(q[r].y, k.y, sum);
          sum = fmaf(q[r].z, k.z, sum);
          scores[r][c] = fmaf(q[r].w, k.w, sum);
        }
      }
    }
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const bool valid = column + c * Tile::kSide < keys;
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        scores[r][c] = valid ? scores[r][c] * scale : -__builtin_inff();
      }
    }
  }

  /// Computes weights from scores, stores them for the half warp, and rescales earlier sums to the
  /// new maximum.
  __device__ __forceinline__ void weigh(const float (&scores)[kRows][kColumns]) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      Softmax& row = softmax[r];
      float largest = scores[r][0];
#pragma unroll
      for (int c = 1; c < kColumns; ++c) largest = fmaxf(largest, scores[r][c]);
      const float factor =
          row.update_maximum(device::across_lanes(largest, Tile::kSide, device::Maximum{}));
#pragma unroll
      for (float& value : output[r]) value *= factor;
      float* weights = shared + Tile::kWeightOffset + (first_row + r) * Tile::kWeightStride;
#pragma unroll
      for (int c = 0; c < kColumns; ++c) {
        const float weight = row.weight(scores[r][c]);
        row.sum += weight;
        weights[column + c * Tile::kSide] = weight;
      }
    }
    __syncwarp();
  }

  /// output += weights v.
  __device__ __forceinline__ void add_values() {
#pragma unroll 4
    for (int key = 0; key < Tile::kKeys; key += 4) {
      float4 w[kRows];
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        w[r] = four(Tile::kWeightOffset + (first_row + r) * Tile::kWeightStride + key);
      }
#pragma unroll
      for (int run = 0; run < Tile::kOutputColumns; run += Tile::kRun) {
        const float* values = shared + Tile::kValueOffset + key * Tile::kDim + output_column(run);
        float v[4][Tile::kRun];
#pragma unroll
        for (int i = 0; i < 4; ++i) device::load_vector(values + i * Tile::kDim, v[i]);
#pragma unroll
        for (int c = 0; c < Tile::kRun; ++c) {
#pragma unroll
          for (int r = 0; r < kRows; ++r) {
            float sum = output[r][run + c];
            sum = fmaf(w[r].x, v[0][c], sum);
            sum = fmaf(w[r].y, v[1][c], sum);
            sum = fmaf(w[r].z, v[2][c], sum);
            output[r][run + c] = fmaf(w[r].w, v[3][c], sum);
          }
        }
      }
    }
  }

  /// Adds up the sums over whole rows. `lse` points to the head's log-sum-exps, or is null if they
  /// are not requested. One thread of a row writes those of existing rows; the output of rows
  /// without any weight becomes zero.
  __device__ __forceinline__ void close_sums(float* lse, Index token_stride, int first,
                                             int tokens) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      Softmax& row = softmax[r];
      row.sum = device::across_lanes(row.sum, Tile::kSide, device::Add{});
      if (lse == nullptr) continue;
      const int token = first + first_row + r;
      if (column == 0 && token < tokens) lse[token * token_stride] = row.log_sum();
      if (row.sum != 0.0f) continue;
      row.sum = 1.0f;
#pragma unroll
      for (float& value : output[r]) value = 0.0f;
    }
  }

  /// Divides by the sums and writes the thread's part of its rows. No keys give zeros.
  __device__ __forceinline__ void write_output(float* head, Index token_stride, int first,
                                               int tokens, int dim, bool any_keys) const {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const int token = first + first_row + r;
      if (token >= tokens) continue;
#pragma unroll
      for (int c = 0; c < Tile::kOutputColumns; ++c) {
        const int d = output_column(c);
        if (d < dim)
          head[token * token_stride + d] = any_keys ? output[r][c] / softmax[r].sum : 0.0f;
      }
    }
  }

 private:
  /// The output column with index `index` among those of this thread.
  __device__ __forceinline__ int output_column(int index) const {
    return index / Tile::kRun * Tile::kRun * Tile::kSide + column * Tile::kRun + index % Tile::kRun;
  }

  __device__ __forceinline__ float4 four(int offset) const {
    return *reinterpret_cast<const float4*>(shared + offset);
  }
};

/// One block per tile of queries (work_of); Tile::kThreads threads, Tile::kSharedBytes of memory.
/// `Tile` is the ExactLayout of a tile: nvcc 13.0 cannot name, on the host, a kernel whose own
/// argument is of a class.
template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads, 2)
    attention_exact_kernel(const __grid_constant__ AttentionArguments<float> arguments) {
  const AttentionWork work = work_of(arguments, blockIdx.x, Tile::kQueries);
  const float* const k = arguments.k.head(work.batch, work.head);
  const float* const v = arguments.v.head(work.batch, work.head);
  const int keys = arguments.keys;
  const int dim = arguments.dim;
  ExactAttention<Tile> attention(device::shared_memory());

  attention.template load<Tile::kQueries, Tile::kRowStride>(
      0, arguments.q.head(work.batch, work.head), arguments.q.token_stride, work.first_query,
      arguments.queries, dim);
  const float scale = arguments.scale * kLog2E;
  for (int first = 0; first < keys; first += Tile::kKeys) {
    __syncthreads();  // the last tile is read by none
    attention.template load<Tile::kKeys, Tile::kRowStride>(
        Tile::kKeyOffset, k, arguments.k.token_stride, first, keys, dim);
    attention.template load<Tile::kKeys, Tile::kDim>(Tile::kValueOffset, v,
                                                     arguments.v.token_stride, first, keys, dim);
    __syncthreads();
    float scores[Tile::kRows][Tile::kColumns] = {};
    attention.score(scores, scale, keys - first);
    attention.weigh(scores);
    attention.add_values();
  }
  float* const lse = arguments.lse.data;
  attention.close_sums(lse == nullptr ? nullptr : arguments.lse.head(work.batch, work.head),
                       arguments.lse.token_stride, work.first_query, arguments.queries);
  attention.write_output(arguments.o.head(work.batch, work.head), arguments.o.token_stride,
                         work.first_query, arguments.queries, dim, keys > 0);
}

}  // namespace crossfix::kernels
