#pragma once

#include <cstdint>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/ops/resample.hpp"

namespace crossfix::cpu {

/// Resizes 8-bit RGB images of one size to another, as Pillow does with its bilinear filter
/// (ops/resample.hpp). Weights and memory are taken at construction; a call allocates nothing.
class Resizer {
 public:
  /// Heights and widths in pixels. Throws ShapeError where one is below 1.
  Resizer(const Shape<2>& source, const Shape<2>& target);

  const Shape<2>& source() const { return source_; }
  const Shape<2>& target() const { return target_; }

  /// `image` [source height, source width, 3], rows anywhere, a row without gaps, resized. The
  /// view lies in this object until the next call, or in `image` where the sizes are equal. Throws
  /// ShapeError for an image of another shape.
  TensorView<const std::uint8_t, 3> operator()(TensorView<const std::uint8_t, 3> image,
                                               int threads = 1);

 private:
  Shape<2> source_;
  Shape<2> target_;
  ops::ResampleTable columns_;        ///< empty where the width stays
  ops::ResampleTable rows_;           ///< empty where the height stays
  Tensor<std::uint8_t, 3> narrowed_;  ///< [source height, target width, 3]
  Tensor<std::uint8_t, 3> resized_;   ///< [target height, target width, 3]
};

/// Resizers for the sizes met lately, made where a size is new. A stream of images of at most
/// `kCapacity` pairs of sizes allocates nothing once each was met.
class ResizerCache {
 public:
  static constexpr std::size_t kCapacity = 4;

  /// The resizer from an image [height, width, 3] to `target`; valid until the next call. Throws
  /// ShapeError as Resizer.
  Resizer& get(const Shape<2>& source, const Shape<2>& target);

 private:
  std::vector<Resizer> recent_;  ///< the latest first
};

}  // namespace crossfix::cpu
