#pragma once

#include <cstddef>
#include <cstdint>

#include "crossfix/core/math.hpp"

/// What the kernels compiled once for each instruction set look like from outside.
///
/// Their source files are compiled with flags of that set. An inline function of a shared header,
/// instantiated there, could be the copy that the linker keeps for the whole program, with
/// instructions the machine lacks. So those files take raw pointers and their own types only, name
/// every template by a type of their instruction set, and use nothing of the standard library.
namespace crossfix::cpu::kernels {

using Index = std::ptrdiff_t;

/// Rows of queries, and keys, that a step of the attention works on.
inline constexpr Index kQueryBlock = 12;
inline constexpr Index kKeyBlock = 256;
/// Keys are padded to a multiple of this in scratch memory, head dims to a multiple of the same:
/// two of the widest vectors of floats.
inline constexpr Index kPanel = 32;

/// One batch item and head. Rows are `dim` elements; strides are in elements between tokens.
/// `Stored` is float, or the bits of a bfloat16.
template <class Stored>
struct AttentionHead {
  const Stored* q;
  const Stored* k;
  const Stored* v;
  Stored* o;
  float* lse;  ///< log-sum-exp of each query; null where it is not asked for
  Index q_stride, k_stride, v_stride, o_stride, lse_stride;
  Index queries, keys, dim;
  float scale;
  std::byte* scratch;  ///< attention_scratch_bytes(), 64-byte aligned, of one thread
};

/// Scratch memory of one thread: packed keys and values, and a block of queries, scores and sums.
constexpr std::size_t attention_scratch_bytes(Index keys, Index dim, std::size_t stored) {
  const auto padded = [](Index n) { return static_cast<std::size_t>(round_up_to(n, kPanel)); };
  const auto rows = static_cast<std::size_t>(kQueryBlock);
  return 2 * padded(keys) * padded(dim) * stored + rows * padded(dim) * stored +
         rows * static_cast<std::size_t>(kKeyBlock + kPanel) * sizeof(float) +
         rows * padded(dim) * sizeof(float);
}

template <class Stored>
struct AttentionFunctions {
  /// Packs keys and values of a head into its scratch memory.
  void (*pack)(const AttentionHead<Stored>& head);
  /// Output rows [begin, end) of a packed head.
  void (*run)(const AttentionHead<Stored>& head, Index begin, Index end);
};

/// Rows of a LayerNorm; `r` null where there is no residual, `z` the rounded result.
template <class Stored>
struct NormRows {
  const float* x;
  const float* r;
  float* y;
  Stored* z;
  Index x_stride, r_stride, y_stride, z_stride;
  Index rows, channels;
  const float* scale;
  const float* shift;
  float epsilon;
};

/// Kernels over elements stored as `Stored`.
template <class Stored>
struct ElementKernels {
  AttentionFunctions<Stored> attention;
  void (*layer_norm)(const NormRows<Stored>& rows);
  /// accumulator[c] = max(accumulator[c], values[c]); a NaN in either stays.
  void (*maximum)(Stored* accumulator, const Stored* values, Index count);
};

/// Floats past the end of a row that a correlation may read, where its view is zero.
inline constexpr Index kWidestVector = 16;

/// A view slid along one row of a tile of floats: products[shift] = the sum over rows r and floats
/// c within [begin[r], end[r]) of tile[r, shift * step + c] view[r, c]. From end[r] on up to a
/// vector of the view is zero, and of the tile is finite.
struct CorrelationRow {
  const float* tile;
  const float* view;
  Index tile_stride, view_stride;  ///< between rows
  Index rows;                      ///< of the view
  const Index* begin;
  const Index* end;
  Index step;   ///< between shifts
  Index count;  ///< shifts
  float* sums;  ///< room for count x kWidestVector floats
  float* products;
};

using CorrelationFunction = void (*)(const CorrelationRow& row);
extern const CorrelationFunction kBaselineCorrelation;
#if CROSSFIX_X86_KERNELS
extern const CorrelationFunction kAvx2Correlation;
extern const CorrelationFunction kAvx512Correlation;
#endif

/// Scores [rows, columns] of float, `stride` floats between rows, to which their row's bias is
/// added; to be multiplied by `scale`, above 0.
struct Scores {
  const float* first;
  const float* bias;  ///< [rows]
  Index stride, rows, columns;
  float scale;
};

/// The largest score, and the sum of exp(scale (score - largest)): of each column, and of a single
/// row.
struct LogSumFunctions {
  void (*columns)(const Scores& scores, float* maxima, float* sums);
  void (*row)(const Scores& scores, float* maximum, float* sum);
};
extern const LogSumFunctions kBaselineLogSums;
#if CROSSFIX_X86_KERNELS
extern const LogSumFunctions kAvx2LogSums;
extern const LogSumFunctions kAvx512LogSums;
#endif

using FloatKernels = ElementKernels<float>;
using Bfloat16Kernels = ElementKernels<std::uint16_t>;

extern const FloatKernels kBaseline;
#if CROSSFIX_X86_KERNELS
extern const FloatKernels kAvx2;
extern const FloatKernels kAvx512;
extern const Bfloat16Kernels kAvx512Bf16;
#endif

}  // namespace crossfix::cpu::kernels
