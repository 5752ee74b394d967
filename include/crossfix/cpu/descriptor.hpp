#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// Descriptors of blocks of positions (contract: ops/backend.hpp), computed in float.
template <class Element>
class SpatialAttention {
 public:
  /// weights [heads, positions, positions], bias [heads, positions]. Throws ShapeError if shapes do
  /// not match.
  SpatialAttention(const Target& target, const ops::SpatialAttentionSpecification& specification,
                   TensorView<const float, 3> weights, TensorView<const float, 2> bias);

  void operator()(Context& context, TensorView<const Element, 4> x, TensorView<float, 2> y) const;
  std::size_t scratch_bytes() const;

 private:
  /// `scratch` holds two floats per position.
  void describe(const Element* block, Index row_stride, Index channels, float* scratch,
                float* y) const;

  int threads_;
  ops::SpatialAttentionSpecification specification_;
  Tensor<float, 3> weights_;
  Tensor<float, 2> bias_;
};

extern template class SpatialAttention<float>;
extern template class SpatialAttention<bfloat16>;

/// y[n, i, j, :] = (the descriptor of block (i, j), its dot product with the descriptor of panorama
/// n, zeros): blocks [n * side * side, length], panoramas [n, length], y [n, side, side, more than
/// length].
template <class Element>
void match(Context& context, TensorView<const float, 2> blocks,
           TensorView<const float, 2> panoramas, TensorView<Element, 4> y);

}  // namespace crossfix::cpu
