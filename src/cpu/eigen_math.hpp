#pragma once

#include <cstddef>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// Convolutions and matrix products by Eigen, for builds without oneDNN. Rows of the input (patches
/// of it for a convolution) are gathered as floats into scratch memory and multiplied one tile at a
/// time. bfloat16 is widened to float; weights are nevertheless rounded to bfloat16. Eigen uses the
/// instruction set that the library is compiled for. So do depthwise convolutions, which are loops
/// over channels.
struct EigenMath {
  /// See ops/backend.hpp. `Element` is float or bfloat16.
  template <class Element>
  class Convolution {
   public:
    Convolution(const Target& target, const ops::ConvolutionSpecification& specification,
                TensorView<const float, 4> weights, TensorView<const float, 1> bias,
                const Shape<4>& input_shape);

    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<Element, 4> y) const;
    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<const Element, 4> r, TensorView<Element, 4> y) const;
    std::size_t scratch_bytes() const;

   private:
    void run(Context& context, TensorView<const Element, 4> x, const Element* r,
             TensorView<Element, 4> y) const;

    ops::ConvolutionSpecification specification_;
    Shape<4> input_shape_;
    int threads_;
    Tensor<float, 2> weights_;  // [out, kernel row, kernel column, in]
    Tensor<float, 1> bias_;
  };

  /// See ops/backend.hpp. `Element` is float or bfloat16.
  template <class Element>
  class DepthwiseConvolution {
   public:
    DepthwiseConvolution(const Target& target,
                         const ops::DepthwiseConvolutionSpecification& specification,
                         TensorView<const float, 3> weights, TensorView<const float, 1> bias,
                         const Shape<4>& input_shape);

    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<Element, 4> y) const;
    std::size_t scratch_bytes() const { return 0; }

   private:
    /// Computes channels [first, first + count) of y's pixel (n, row, column).
    void pixel(TensorView<const Element, 4> x, const Shape<3>& at, Index first, Index count,
               Element* y) const;

    ops::DepthwiseConvolutionSpecification specification_;
    Shape<4> input_shape_;
    int threads_;
    Tensor<float, 3> weights_;  // [kernel row, kernel column, channel]
    Tensor<float, 1> bias_;
  };

  /// See ops/backend.hpp. `Element` is float or bfloat16, `Out` is `Element` or float.
  template <class Element, class Out = Element>
  class Linear {
   public:
    Linear(const Target& target, const ops::LinearSpecification& specification,
           TensorView<const float, 2> weights, TensorView<const float, 2> table);

    void operator()(Context& context, TensorView<const Element, 2> x, TensorView<Out, 2> y) const;
    std::size_t scratch_bytes() const;

   private:
    ops::LinearSpecification specification_;
    int threads_;
    Tensor<float, 2> weights_;
    Tensor<float, 2> table_;
  };
};

extern template class EigenMath::Convolution<float>;
extern template class EigenMath::Convolution<bfloat16>;
extern template class EigenMath::DepthwiseConvolution<float>;
extern template class EigenMath::DepthwiseConvolution<bfloat16>;
extern template class EigenMath::Linear<float>;
extern template class EigenMath::Linear<bfloat16>;
extern template class EigenMath::Linear<bfloat16, float>;

}  // namespace crossfix::cpu
