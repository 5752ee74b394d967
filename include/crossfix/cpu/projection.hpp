#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// y[row, out] = x[row, in] W[out, in]^T + bias[out] with y in float, for few outputs: rows are
/// read once and not packed. Rows may be strided, columns are contiguous.
template <class Element>
class Projection {
 public:
  /// Throws ShapeError if weights and bias do not match or have gaps.
  Projection(const Target&, TensorView<const float, 2> weights, TensorView<const float, 1> bias);

  void operator()(Context& context, TensorView<const Element, 2> x, TensorView<float, 2> y) const;

 private:
  Tensor<float, 2> weights_;
  Tensor<float, 1> bias_;
};

extern template class Projection<float>;
extern template class Projection<bfloat16>;

}  // namespace crossfix::cpu
