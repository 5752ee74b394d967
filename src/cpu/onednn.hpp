#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// Convolutions and matrix products by oneDNN. Weights are packed at construction. Bias, residual,
/// table and activation are fused into the product.
struct OneDnn {
  /// See ops/backend.hpp. `Element` is float or bfloat16.
  template <class Element>
  class Convolution {
   public:
    Convolution(const Target& target, const ops::ConvolutionSpecification& specification,
                TensorView<const float, 4> weights, TensorView<const float, 1> bias,
                const Shape<4>& input_shape);
    Convolution(Convolution&&) noexcept;
    Convolution& operator=(Convolution&&) noexcept;
    ~Convolution();

    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<Element, 4> y) const;
    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<const Element, 4> r, TensorView<Element, 4> y) const;
    std::size_t scratch_bytes() const;

   private:
    struct State;
    std::unique_ptr<const State> state_;
  };

  /// See ops/backend.hpp. `Element` is float or bfloat16.
  template <class Element>
  class DepthwiseConvolution {
   public:
    DepthwiseConvolution(const Target& target,
                         const ops::DepthwiseConvolutionSpecification& specification,
                         TensorView<const float, 3> weights, TensorView<const float, 1> bias,
                         const Shape<4>& input_shape);
    DepthwiseConvolution(DepthwiseConvolution&&) noexcept;
    DepthwiseConvolution& operator=(DepthwiseConvolution&&) noexcept;
    ~DepthwiseConvolution();

    void operator()(Context& context, TensorView<const Element, 4> x,
                    TensorView<Element, 4> y) const;
    std::size_t scratch_bytes() const;

   private:
    struct State;
    std::unique_ptr<const State> state_;
  };

  /// See ops/backend.hpp. `Element` is float or bfloat16, `Out` is `Element` or float.
  template <class Element, class Out = Element>
  class Linear {
   public:
    Linear(const Target& target, const ops::LinearSpecification& specification,
           TensorView<const float, 2> weights, TensorView<const float, 2> table);
    Linear(Linear&&) noexcept;
    Linear& operator=(Linear&&) noexcept;
    ~Linear();

    void operator()(Context& context, TensorView<const Element, 2> x, TensorView<Out, 2> y) const;
    std::size_t scratch_bytes() const;

   private:
    struct State;
    std::unique_ptr<const State> state_;
  };
};

extern template class OneDnn::Convolution<float>;
extern template class OneDnn::Convolution<bfloat16>;
extern template class OneDnn::DepthwiseConvolution<float>;
extern template class OneDnn::DepthwiseConvolution<bfloat16>;
extern template class OneDnn::Linear<float>;
extern template class OneDnn::Linear<bfloat16>;
extern template class OneDnn::Linear<bfloat16, float>;

}  // namespace crossfix::cpu
