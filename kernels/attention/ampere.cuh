#pragma once

// Attention for bfloat16 and float16 on devices of compute capability 8.0 and newer.
//
// Tile. A block of 4 warps computes 128 queries (64 if dim is 128) of one head against all keys, 64
// keys at a time. A warp owns 32 (16) whole rows: their queries, scores, softmax and output stay in
// its registers. Warps synchronise only when they go on to the next tile of keys.
//
//              keys 0..63   64..127   ...            dim
//   queries   +-----------+---------+-----+       +-------+
//    warp 0   | 32 x 64   |    ->   |     |       |       |
//    warp 1   | scores in |         |     |   x   |values |   =  o: 128 x dim in registers
//    warp 2   | registers |         |     |       | 64 at |
//    warp 3   |           |         |     |       | a time|
//             +-----------+---------+-----+       +-------+
//
// Of every 16 x 8 product, a lane holds rows lane / 4 and lane / 4 + 8, and columns 2 (lane % 4)
// and the next one (product_row, product_column). The softmax of a row is shared by the 4 lanes of
// a quad. The accumulators of the scores, packed in pairs, already have the layout of the left
// operand of p v.
//
// Shared memory, bytes. Every tile has the layout of SwizzledRows (no bank conflicts):
//   queries      kQueries * dim * 2    (reused as the staging area of the output)
//   2 stages of
//     keys       64 * dim * 2
//     values     64 * dim * 2
// 24 KB, 48 KB and 80 KB for dim 32, 64 and 128. While one stage is in use, cp.async fills the
// other. One barrier per tile ensures that a stage is full and that the other is no longer read.
//
// Tails. Rows past the end are not read: cp.async writes zeros for them. Scores of keys past the
// end are set to -inf before the maximum is computed. Queries past the end are computed but not
// written.
//
// Bound. For dim 32 the exponentials: one per score, 16 per clock on a multiprocessor. For dim 64
// and 128 the matrix products: 4 dim operations per score. Not yet measured.

#include "crossfix/core/math.hpp"
#include "crossfix/kernels/attention/schedule.hpp"
#include "crossfix/kernels/attention/swizzle.hpp"
#include "crossfix/kernels/device/ampere.cuh"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "crossfix/ops/online_softmax.hpp"

namespace crossfix::kernels {

/// Tile sizes of the kernel, a template argument with named fields.
struct AmpereTile {
  int dim;             ///< at least the head dimension: 32, 64 or 128
  int warps = 4;       ///< that share a tile of keys
  int row_tiles;       ///< tiles of 16 queries per warp
  int keys = 64;       ///< per tile, a multiple of 16
  int blocks;          ///< blocks per multiprocessor for which there must be enough registers
  bool keeps_queries;  ///< in registers; otherwise they are read again with each tile of keys
};

// For dim 32 the exponentials cost as much as the products. A third block per multiprocessor hides
// one behind the other. Queries are read again for each tile to save registers for it.
inline constexpr AmpereTile kAmpere32{
    .dim = 32, .row_tiles = 2, .blocks = 3, .keeps_queries = false};
inline constexpr AmpereTile kAmpere64{
    .dim = 64, .row_tiles = 2, .blocks = 2, .keeps_queries = true};
inline constexpr AmpereTile kAmpere128{
    .dim = 128, .row_tiles = 1, .blocks = 2, .keeps_queries = true};

/// Constants derived from a tile, checked against the limits of a block.
template <AmpereTile kTile>
struct AmpereLayout {
  static constexpr int kDim = kTile.dim;
  static constexpr int kWarps = kTile.warps;
  static constexpr int kThreads = kWarps * 32;
  static constexpr int kRowTiles = kTile.row_tiles;
  static constexpr int kWarpQueries = 16 * kRowTiles;
  static constexpr int kQueries = kWarps * kWarpQueries;
  static constexpr int kKeys = kTile.keys;
  static constexpr int kStages = 2;
  static constexpr int kBlocks = kTile.blocks;
  static constexpr bool kKeepsQueries = kTile.keeps_queries;
  static_assert(kKeys % 16 == 0);

  using Rows = SwizzledRows<kDim>;
  static constexpr int kQueryBytes = kQueries * Rows::kRowBytes;
  static constexpr int kKeyBytes = kKeys * Rows::kRowBytes;
  static constexpr int kSharedBytes = kQueryBytes + kStages * 2 * kKeyBytes;
  static_assert(kSharedBytes <= 99 * 1024, "more than a block may have on compute capability 8.6");

  static constexpr int key_offset(int stage) { return kQueryBytes + stage * 2 * kKeyBytes; }
  static constexpr int value_offset(int stage) { return key_offset(stage) + kKeyBytes; }
};

/// The rows of one warp, and this thread's part of the block's loads.
template <class T, class Tile>
struct AmpereAttention {
  using Rows = typename Tile::Rows;
  using Softmax = ops::OnlineSoftmax<device::SoftmaxMath>;
  static constexpr int kRowTiles = Tile::kRowTiles;
  static constexpr int kKeyTiles = Tile::kKeys / 8;   // columns of products with keys
  static constexpr int kKeySteps = Tile::kKeys / 16;  // depth steps of p v
  static constexpr int kDimTiles = Tile::kDim / 8;    // columns of products with values
  static constexpr int kDimSteps = Tile::kDim / 16;   // depth steps of q k^T
  static constexpr int kChunkElements = Rows::kChunkElements;

  unsigned char* shared;
  int warp;
  int lane;
  int chunks;  // of 8 elements in a row of the views

  std::uint32_t query[kRowTiles][kDimSteps][4];
  float output[kRowTiles][kDimTiles][4] = {};
  // Of the rows lane / 4 and lane / 4 + 8; sums cover only this lane's columns.
  Softmax softmax[kRowTiles][2];

  __device__ __forceinline__ AmpereAttention(unsigned char* memory, int dim)
      : shared(memory),
        warp(static_cast<int>(threadIdx.x) / 32),
        lane(static_cast<int>(threadIdx.x) % 32),
        chunks(dim / kChunkElements) {}

  /// Starts the copy of kRows tokens from `first` on to `offset`. Writes zeros past the end of the
  /// tokens and of a row.
  template <int kRows>
  __device__ __forceinline__ void load(int offset, const T* head, Index token_stride, int first,
                                       int tokens) const {
    constexpr int kPass = Tile::kThreads / Rows::kChunks;  // rows that the block copies at once
    static_assert(kRows % kPass == 0 && kPass % Rows::kPeriod == 0);
    const int thread = static_cast<int>(threadIdx.x);
    const TileChunk to{thread / Rows::kChunks, thread % Rows::kChunks};
    unsigned char* target = shared + offset + Rows::offset(to);
    const T* source = head + (first + to.row) * token_stride + to.chunk * kChunkElements;
#pragma unroll
    for (int row = 0; row < kRows; row += kPass) {
      const bool valid = first + to.row + row < tokens && to.chunk < chunks;
      device::copy_async_16(target + row * Rows::kRowBytes, source, valid);
      source += kPass * token_stride;
    }
  }

  /// Loads the warp's queries into registers. They are negated if the scale is negative, so that
  /// the later factor is positive.
  __device__ __forceinline__ void take_queries(bool negate) {
    constexpr std::uint32_t kSigns = 0x80008000u;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
      const int from = Rows::offset(left_operand_chunk(lane)) +
                       (warp * Tile::kWarpQueries + 16 * m) * Rows::kRowBytes;
#pragma unroll
      for (int step = 0; step < kDimSteps; ++step) {
        device::load_matrix_x4(query[m][step], shared + Rows::flip(from, 2 * step));
        for (std::uint32_t& pair : query[m][step]) pair ^= negate ? kSigns : 0u;
      }
    }
  }

  /// scores = q k^T for the keys of a stage.
  __device__ __forceinline__ void multiply_keys(float (&scores)[kRowTiles][kKeyTiles][4],
                                                int stage) const {
    const int first = Tile::key_offset(stage) + Rows::offset(key_operand_chunk(lane));
#pragma unroll
    for (int step = 0; step < kDimSteps; ++step) {
#pragma unroll
      for (int pair = 0; pair < kKeyTiles / 2; ++pair) {
        const int from = Rows::flip(first, 2 * step) + 16 * pair * Rows::kRowBytes;
        std::uint32_t key[4];
        device::load_matrix_x4(key, shared + from);
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          device::mma_16x8x16<T>(scores[m][2 * pair], query[m][step], key[0], key[1]);
          device::mma_16x8x16<T>(scores[m][2 * pair + 1], query[m][step], key[2], key[3]);
        }
      }
    }
  }

  /// Scales the scores, and gives weight 0 to those of the keys from `keys` on, counted from the
  /// tile's first key.
  __device__ __forceinline__ void mask(float (&scores)[kRowTiles][kKeyTiles][4], float scale,
                                       int keys) const {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const bool valid = 8 * n + product_column(lane, i) < keys;
          scores[m][n][i] = valid ? scores[m][n][i] * scale : -__builtin_inff();
        }
      }
    }
  }

  /// Replaces scores by weights, and rescales earlier sums to the new maximum. A score times
  /// `scale`, which is not negative, is in units of log 2.
  __device__ __forceinline__ void weigh(float (&scores)[kRowTiles][kKeyTiles][4], float scale) {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        Softmax& row = softmax[m][half];
        float largest = fmaxf(scores[m][0][2 * half], scores[m][0][2 * half + 1]);
#pragma unroll
        for (int n = 1; n < kKeyTiles; ++n) {
          largest = fmaxf(largest, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
        }
        const float factor =
            row.update_maximum(device::across_lanes(largest, 4, device::Maximum{}) * scale);
#pragma unroll
        for (int n = 0; n < kDimTiles; ++n) {
          output[m][n][2 * half] *= factor;
          output[m][n][2 * half + 1] *= factor;
        }
#pragma unroll
        for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; ++i) {
            scores[m][n][i] = row.weight(scores[m][n][i] * scale);
            row.sum += scores[m][n][i];
          }
        }
      }
    }
  }

  /// output += weights v for the values of a stage.
  __device__ __forceinline__ void multiply_values(const float (&weights)[kRowTiles][kKeyTiles][4],
                                                  int stage) {
    const int first = Tile::value_offset(stage) + Rows::offset(value_operand_chunk(lane));
#pragma unroll
    for (int step = 0; step < kKeySteps; ++step) {
      std::uint32_t weight[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const float(&pair)[4] = weights[m][2 * step + i / 2];
          weight[m][i] = device::pack2<T>(pair[i % 2 * 2], pair[i % 2 * 2 + 1]);
        }
      }
#pragma unroll
      for (int pair = 0; pair < kDimTiles / 2; ++pair) {
        const int from = Rows::flip(first, 2 * pair) + 16 * step * Rows::kRowBytes;
        std::uint32_t value[4];
        device::load_matrix_x4_transposed(value, shared + from);
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          device::mma_16x8x16<T>(output[m][2 * pair], weight[m], value[0], value[1]);
          device::mma_16x8x16<T>(output[m][2 * pair + 1], weight[m], value[2], value[3]);
        }
      }
    }
  }

  /// Adds up the sums over whole rows. `lse` points to the head's log-sum-exps, or is null if they
  /// are not requested. One lane of a quad writes those of existing rows; the output of rows
  /// without any weight becomes zero.
  __device__ __forceinline__ void close_sums(float* lse, Index token_stride, int first,
                                             int tokens) {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        Softmax& row = softmax[m][half];
        row.sum = device::across_lanes(row.sum, 4, device::Add{});
        if (lse == nullptr) continue;
        const int token = first + warp * Tile::kWarpQueries + 16 * m + product_row(lane, 2 * half);
        if (lane % 4 == 0 && token < tokens) lse[token * token_stride] = row.log_sum();
        if (row.sum != 0.0f) continue;
        row.sum = 1.0f;
#pragma unroll
        for (int n = 0; n < kDimTiles; ++n) {
          output[m][n][2 * half] = output[m][n][2 * half + 1] = 0.0f;
        }
      }
    }
  }

  /// Divides by the sums and stores the warp's rows where its queries were. No keys give zeros.
  __device__ __forceinline__ void stage_output(bool any_keys) {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float factor = any_keys ? 1.0f / softmax[m][half].sum : 0.0f;
        const int row = warp * Tile::kWarpQueries + 16 * m + product_row(lane, 2 * half);
#pragma unroll
        for (int n = 0; n < kDimTiles; ++n) {
          const int offset = Rows::offset({row, n}) + 2 * product_column(lane, 0);
          *reinterpret_cast<std::uint32_t*>(shared + offset) = device::pack2<T>(
              output[m][n][2 * half] * factor, output[m][n][2 * half + 1] * factor);
        }
      }
    }
    __syncwarp();
  }

  /// Writes the warp's staged rows, 16 bytes at a time if every row of o begins at a multiple of 16
  /// bytes (`aligned`).
  __device__ __forceinline__ void write_output(T* head, Index token_stride, int first, int tokens,
                                               bool aligned) const {
#pragma unroll
    for (int i = 0; i < Tile::kWarpQueries * Rows::kChunks / 32; ++i) {
      const int at = i * 32 + lane;
      const TileChunk from{warp * Tile::kWarpQueries + at / Rows::kChunks, at % Rows::kChunks};
      const int token = first + from.row;
      if (token >= tokens || from.chunk >= chunks) continue;
      const unsigned char* staged = shared + Rows::offset(from);
      T* to = head + token * token_stride + from.chunk * kChunkElements;
      if (aligned) {
        *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(staged);
      } else {
        for (int e = 0; e < kChunkElements; ++e) to[e] = reinterpret_cast<const T*>(staged)[e];
      }
    }
  }
};

/// One block per tile of queries (work_of); Tile::kThreads threads, Tile::kSharedBytes of memory.
/// `Tile` is the AmpereLayout of a tile: nvcc 13.0 cannot name, on the host, a kernel whose own
/// argument is of a class.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    attention_ampere_kernel(const __grid_constant__ AttentionArguments<T> arguments,
                            bool aligned_output) {
  using Attention = AmpereAttention<T, Tile>;
  const AttentionWork work = work_of(arguments, blockIdx.x, Tile::kQueries);
  const T* const k = arguments.k.head(work.batch, work.head);
  const T* const v = arguments.v.head(work.batch, work.head);
  const int keys = arguments.keys;
  Attention attention(device::shared_memory(), arguments.dim);

  const auto load_stage = [&](int tile) {
    const int first = tile * Tile::kKeys;
    attention.template load<Tile::kKeys>(Tile::key_offset(tile % Tile::kStages), k,
                                         arguments.k.token_stride, first, keys);
    attention.template load<Tile::kKeys>(Tile::value_offset(tile % Tile::kStages), v,
                                         arguments.v.token_stride, first, keys);
  };
  const int tiles = ceil_div(keys, Tile::kKeys);
  if (tiles > 0) {
    attention.template load<Tile::kQueries>(0, arguments.q.head(work.batch, work.head),
                                            arguments.q.token_stride, work.first_query,
                                            arguments.queries);
    device::copy_async_commit();
    load_stage(0);
    device::copy_async_commit();
    device::copy_async_wait<1>();
    __syncthreads();
    if (Tile::kKeepsQueries) attention.take_queries(arguments.scale < 0.0f);
  }

  const float scale = fabsf(arguments.scale) * kLog2E;
#pragma unroll 1
  for (int tile = 0; tile < tiles; ++tile) {
    device::copy_async_wait<0>();
    __syncthreads();  // this stage is full, and no thread reads the other one any more
    if (tile + 1 < tiles) load_stage(tile + 1);
    device::copy_async_commit();

    if (!Tile::kKeepsQueries) attention.take_queries(arguments.scale < 0.0f);
    const int stage = tile % Tile::kStages;
    float scores[Attention::kRowTiles][Attention::kKeyTiles][4] = {};
    attention.multiply_keys(scores, stage);
    // A masked score must stay -inf even if the scale is 0, so a tail is scaled before it is
    // masked.
    const bool tail = keys - tile * Tile::kKeys < Tile::kKeys;
    if (tail) attention.mask(scores, scale, keys - tile * Tile::kKeys);
    attention.weigh(scores, tail ? 1.0f : scale);
    attention.multiply_values(scores, stage);
  }

  float* const lse = arguments.lse.data;
  attention.close_sums(lse == nullptr ? nullptr : arguments.lse.head(work.batch, work.head),
                       arguments.lse.token_stride, work.first_query, arguments.queries);
  attention.stage_output(tiles > 0);
  attention.write_output(arguments.o.head(work.batch, work.head), arguments.o.token_stride,
                         work.first_query, arguments.queries, aligned_output);
}

}  // namespace crossfix::kernels
