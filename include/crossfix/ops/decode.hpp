#pragma once

#include <cstdint>
#include <type_traits>

#include "crossfix/core/tensor_view.hpp"

namespace crossfix::ops {

/// How the position of a fix is computed.
enum class FixRule {
  best_cell,  ///< the best cell's corner plus its offset, as in the reference
  /// The mean of the positions (corner + offset) of the best cell and its up to eight neighbours,
  /// weighted by exp(logit).
  neighbourhood,
};

/// How the heads' outputs are decoded.
struct Decoding {
  double temperature = 1.0;  ///< above 0; the posterior is softmax(logits / temperature)
  FixRule fix = FixRule::best_cell;
  bool sigmoid = true;  ///< apply it to the raw offsets; false: they are in cells already
};

/// Share of the posterior inside the radius of a fix.
inline constexpr double kRadiusShare = 0.68;

/// Side, in cells, of the square over which a cell's mass is distributed evenly when the moments
/// and the radius of a posterior are computed. The square is centred on the position that the cell
/// gives (corner plus offset). Cells that agree on one position therefore also agree in the radius.
/// With a square of a whole cell, the mass of a single cell would have a radius of half a cell.
inline constexpr double kCellMassSide = 0.5;

/// Covariance of a position on the grid, cells^2.
struct Covariance {
  float row_row = 0;
  float row_col = 0;
  float col_col = 0;
};

/// The result of `decode` for one image, lengths in cells of the grid.
struct DecodedFix {
  /// index of the largest logit, row * grid + column; the first if several are equal
  std::int32_t cell = 0;
  float row = 0;               ///< row of the camera's position, cells (FixRule)
  float col = 0;               ///< column of the camera's position, cells
  Covariance covariance = {};  ///< of the posterior about its mean
  float radius = 0;  ///< cells: the smallest circle about (row, col) that holds `kRadiusShare`
  std::int32_t padding = 0;  ///< up to 32 bytes; 0
};
// It is stored in a block of floats, on the host and on the device, and is copied with them.
static_assert(sizeof(DecodedFix) == 32 && alignof(DecodedFix) == alignof(float));
static_assert(std::is_trivially_copyable_v<DecodedFix> && std::is_standard_layout_v<DecodedFix>);

/// The outputs for a batch of images, as views into one block of floats. The block is copied at
/// once, bit by bit. The heads write `logits` and raw `offsets`. `decode` (ops/backend.hpp)
/// computes the rest from them, and applies the sigmoid to the offsets if `Decoding::sigmoid` is
/// set. Cells are those of a square grid, row-major.
template <MemorySpace Space>
class HeadOutputs {
 public:
  HeadOutputs() = default;

  /// Over `element_count(batch, grid)` floats at `base`, at least 16-byte aligned.
  HeadOutputs(float* base, Index batch, Index grid) : base_(base), batch_(batch), grid_(grid) {}

  static constexpr Index element_count(Index batch, Index grid) {
    return batch * (kRecordFloats + 4 * grid * grid);
  }

  Index batch() const { return batch_; }
  Index grid() const { return grid_; }
  Index cells() const { return grid_ * grid_; }

  /// The whole block, [1, element_count]: `fix`, `offsets`, `logits`, `probability`, without gaps.
  TensorView<float, 2, Space> block() const {
    return {base_, {Index{1}, element_count(batch_, grid_)}};
  }

  /// [batch]; each record is 32-byte aligned if the block is.
  TensorView<DecodedFix, 1, Space> fix() const {
    return {reinterpret_cast<DecodedFix*>(base_), {batch_}};
  }

  /// [batch, cells, 2], (row, col): raw from the head; in cells after `decode`. 8-byte aligned.
  TensorView<float, 3, Space> offsets() const {
    return {base_ + batch_ * kRecordFloats, {batch_, cells(), Index{2}}};
  }

  /// [batch, cells].
  TensorView<float, 2, Space> logits() const {
    return {base_ + batch_ * (kRecordFloats + 2 * cells()), {batch_, cells()}};
  }

  /// [batch, cells]: softmax(logits / temperature).
  TensorView<float, 2, Space> probability() const {
    return {base_ + batch_ * (kRecordFloats + 3 * cells()), {batch_, cells()}};
  }

 private:
  static constexpr Index kRecordFloats = sizeof(DecodedFix) / sizeof(float);

  float* base_ = nullptr;
  Index batch_ = 0;
  Index grid_ = 0;
};

}  // namespace crossfix::ops
