#pragma once

#include <cstddef>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// y[row, c] = (s - mean(s)) / sqrt(variance(s) + epsilon) * scale[c] + shift[c], with s = x (+ r),
/// and mean and (population) variance over the row, in float; z[row, c] is y rounded to `Element`.
/// Rows may be strided, columns are contiguous; y may be x or r.
template <class Element>
class LayerNorm {
 public:
  /// Throws ShapeError if scale and shift differ in length or are empty.
  LayerNorm(const Target&, TensorView<const float, 1> scale, TensorView<const float, 1> shift,
            float epsilon);

  void operator()(Context& context, TensorView<const float, 2> x, TensorView<float, 2> y,
                  TensorView<Element, 2> z) const;
  void operator()(Context& context, TensorView<const float, 2> x, TensorView<const float, 2> r,
                  TensorView<float, 2> y, TensorView<Element, 2> z) const;

 private:
  void run(Context& context, TensorView<const float, 2> x, const float* r, Index r_stride,
           TensorView<float, 2> y, TensorView<Element, 2> z) const;

  Tensor<float, 1> scale_;
  Tensor<float, 1> shift_;
  float epsilon_;
};

extern template class LayerNorm<float>;
extern template class LayerNorm<bfloat16>;

}  // namespace crossfix::cpu
