#pragma once

#include <cstdint>
#include <type_traits>

#include "crossfix/core/tensor_view.hpp"

namespace crossfix::ops {

/// Where a fix lies.
enum class FixRule {
  best_cell,  ///< the best cell's corner and its offset, as the reference has it
  /// The mean of the positions (corner + offset) that the best cell and its up to eight neighbours
  /// give, weighted by exp(logit).
  neighbourhood,
};

/// How the heads' outputs are decoded.
struct Decoding {
  double temperature = 1.0;  ///< above 0; the posterior is softmax(logits / temperature)
  FixRule fix = FixRule::best_cell;
  bool sigmoid = true;  ///< of the raw offsets; false: they are in cells already
};

/// Share of the posterior that the radius of a fix holds.
inline constexpr double kRadiusShare = 0.68;

/// In the moments and the radius of a posterior a cell's mass lies evenly over a square of this
/// side, in cells, about the position that the cell gives, its corner and offset. Cells that agree
/// on a position between them so agree in the radius too: even over whole cells, the mass of one
/// alone has a radius of half a cell.
inline constexpr double kCellMassSide = 0.5;

/// Covariance of a position on the grid, cells^2.
struct Covariance {
  float row_row = 0;
  float row_col = 0;
  float col_col = 0;
};

/// What `decode` makes of an image, lengths in cells of the grid.
struct DecodedFix {
  std::int32_t cell = 0;  ///< of the first largest logit, row * grid + column
  float row = 0;          ///< where the camera stood, cells (FixRule)
  float col = 0;          ///< likewise
  Covariance covariance;  ///< of the posterior about its mean
  float radius = 0;       ///< cells: the smallest circle about (row, col) that holds `kRadiusShare`
  std::int32_t padding = 0;  ///< to 32 bytes; 0
};
// It lies in a block of floats, on the host and on the device, and is copied with them.
static_assert(sizeof(DecodedFix) == 32 && alignof(DecodedFix) == alignof(float));
static_assert(std::is_trivially_copyable_v<DecodedFix> && std::is_standard_layout_v<DecodedFix>);

/// The outputs of a batch of images as views into one block of floats, which is copied in one go,
/// bit by bit. The heads write `logits` and raw `offsets`; `decode` (ops/backend.hpp) makes the
/// rest from them, and puts the offsets through the sigmoid where they ask for it. Cells are those
/// of a square grid, row-major.
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

  /// All of it, [1, element_count]: `fix`, `offsets`, `logits`, `probability`, without gaps.
  TensorView<float, 2, Space> block() const {
    return {base_, {Index{1}, element_count(batch_, grid_)}};
  }

  /// [batch], each 32-byte aligned where the block is.
  TensorView<DecodedFix, 1, Space> fix() const {
    return {reinterpret_cast<DecodedFix*>(base_), {batch_}};
  }

  /// [batch, cells, 2], (row, col): raw as the head gave them, after `decode` in cells; 8-byte
  /// aligned.
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
