#pragma once

#include <cstdint>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/ops/resample.hpp"

namespace crossfix::cpu {

/// Resizes 8-bit RGB images from one size to another, as Pillow does with its bilinear filter
/// (ops/resample.hpp). Weights and memory are prepared at construction; a call allocates nothing.
class Resizer {
 public:
  /// Heights and widths in pixels. Throws ShapeError if one is below 1.
  Resizer(const Shape<2>& source, const Shape<2>& target);

  const Shape<2>& source() const { return source_; }
  const Shape<2>& target() const { return target_; }

  /// Resizes `image` [source height, source width, 3]; rows may have any stride, a row has no gaps.
  /// The result is valid until the next call; it points into this object, or into `image` if the
  /// sizes are equal. Throws ShapeError for an image of another shape.
  TensorView<const std::uint8_t, 3> operator()(TensorView<const std::uint8_t, 3> image,
                                               int threads = 1);

 private:
  Shape<2> source_;
  Shape<2> target_;
  ops::ResampleTable columns_;        ///< empty if the width does not change
  ops::ResampleTable rows_;           ///< empty if the height does not change
  Tensor<std::uint8_t, 3> narrowed_;  ///< [source height, target width, 3]
  Tensor<std::uint8_t, 3> resized_;   ///< [target height, target width, 3]
};

/// Resizers for recently used sizes; one is made for each new size. A stream of images with at most
/// `kCapacity` pairs of sizes allocates nothing once each pair has occurred.
class ResizerCache {
 public:
  static constexpr std::size_t kCapacity = 4;

  /// The resizer from an image [height, width, 3] to `target`; valid until the next call. Throws
  /// ShapeError as Resizer.
  Resizer& get(const Shape<2>& source, const Shape<2>& target);

 private:
  std::vector<Resizer> recent_;  ///< most recent first
};

}  // namespace crossfix::cpu
