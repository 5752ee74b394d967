#pragma once

#include <cstddef>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// y[row, c] = (z - mean(z)) / sqrt(variance(z) + epsilon) * scale[c] + shift[c], z = x (+ r), mean
/// and (population) variance over the row, in float. Rows may be strided, columns are contiguous;
/// y may be x or r.
template <class Element>
class LayerNorm {
 public:
  /// Throws ShapeError where scale and shift differ in length or are empty.
  LayerNorm(TensorView<const float, 1> scale, TensorView<const float, 1> shift, float epsilon);

  void operator()(Context& context, TensorView<const Element, 2> x, TensorView<Element, 2> y) const;
  void operator()(Context& context, TensorView<const Element, 2> x, TensorView<const Element, 2> r,
                  TensorView<Element, 2> y) const;

 private:
  void run(Context& context, TensorView<const Element, 2> x, const Element* r, Index r_stride,
           TensorView<Element, 2> y) const;

  Tensor<float, 1> scale_;
  Tensor<float, 1> shift_;
  float epsilon_;
};

extern template class LayerNorm<float>;
extern template class LayerNorm<bfloat16>;

}  // namespace crossfix::cpu
