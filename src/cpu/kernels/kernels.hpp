#pragma once

#include <cstddef>
#include <cstdint>

#include "crossfix/core/math.hpp"

/// Interface of the kernels that are compiled once for each instruction set.
///
/// Their source files are compiled with flags of that set. If such a file instantiates an inline
/// function of a shared header, the linker may keep this copy for the whole program, with
/// instructions that the machine lacks. Therefore these files use only raw pointers and their own
/// types, parametrise every template by a type of their instruction set, and use nothing from the
/// standard library.
namespace crossfix::cpu::kernels {

using Index = std::ptrdiff_t;

/// Number of query rows, and of keys, in one step of the attention.
inline constexpr Index kQueryBlock = 12;
inline constexpr Index kKeyBlock = 256;
/// In scratch memory, keys and head dims are padded to multiples of this: two of the widest vectors
/// of floats.
inline constexpr Index kPanel = 32;

/// One batch item and head. Rows are `dim` elements; strides are in elements between tokens.
/// `Stored` is float, or the bits of a bfloat16.
template <class Stored>
struct AttentionHead {
  const Stored* q;
  const Stored* k;
  const Stored* v;
  Stored* o;
  float* lse;  ///< log-sum-exp of each query; null if not requested
  Index q_stride, k_stride, v_stride, o_stride, lse_stride;
  Index queries, keys, dim;
  float scale;
  std::byte* scratch;  ///< attention_scratch_bytes(), 64-byte aligned, of one thread
};

/// Scratch memory of one thread, in bytes: packed keys and values, and a block of queries, scores
/// and sums.
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
  /// Computes output rows [begin, end) of a packed head.
  void (*run)(const AttentionHead<Stored>& head, Index begin, Index end);
};

/// Rows of a LayerNorm. `r` is null if there is no residual; `z` is the rounded result.
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
  /// accumulator[c] = max(accumulator[c], values[c]); NaN in either gives NaN.
  void (*maximum)(Stored* accumulator, const Stored* values, Index count);
};

/// Floats past the end of a row that a correlation may read, where its view is zero.
inline constexpr Index kWidestVector = 16;

/// A view slid along one row of a tile of floats: products[shift] = the sum over rows r and floats
/// c in [begin[r], end[r]) of tile[r, shift * step + c] view[r, c]. For up to one vector from
/// end[r] on, the view must be zero and the tile finite.
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

/// Scores [rows, columns] of float, with `stride` floats between rows. The bias of its row is added
/// to each score; the sum is multiplied by `scale`, which is above 0.
struct Scores {
  const float* first;
  const float* bias;  ///< [rows]
  Index stride, rows, columns;
  float scale;
};

/// The largest score, and the sum of exp(scale (score - largest)): for each column, and for a
/// single row.
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
