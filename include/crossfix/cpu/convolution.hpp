#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// Convolution over NHWC activations by the target's library (contract: ops/backend.hpp). `Element`
/// is float or bfloat16. Weights are packed at construction. Bias, residual and activation are
/// fused into the product.
template <class Element>
class Convolution {
 public:
  /// `weights` [out, in, kernel row, kernel column], `bias` [out], `input_shape` [n, h, w, in].
  /// Throws ShapeError if they do not match, DeviceError if the library is not part of this build
  /// or cannot prepare the convolution.
  Convolution(const Target& target, const ops::ConvolutionSpecification& specification,
              TensorView<const float, 4> weights, TensorView<const float, 1> bias,
              const Shape<4>& input_shape);
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) noexcept;
  ~Convolution();

  /// y = act(conv(x) + bias), or with the residual r act(conv(x) + bias + r); r may be y. Throws
  /// ShapeError if a shape differs from the prepared one.
  void operator()(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y) const;
  void operator()(Context& context, TensorView<const Element, 4> x, TensorView<const Element, 4> r,
                  TensorView<Element, 4> y) const;
  std::size_t scratch_bytes() const;

 private:
  struct Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

/// Depthwise convolution over NHWC activations, prepared and run like Convolution.
template <class Element>
class DepthwiseConvolution {
 public:
  /// `weights` [channel, kernel row, kernel column], `bias` [channel], `input_shape` [n, h, w,
  /// channel]. Throws as above.
  DepthwiseConvolution(const Target& target,
                       const ops::DepthwiseConvolutionSpecification& specification,
                       TensorView<const float, 3> weights, TensorView<const float, 1> bias,
                       const Shape<4>& input_shape);
  DepthwiseConvolution(DepthwiseConvolution&&) noexcept;
  DepthwiseConvolution& operator=(DepthwiseConvolution&&) noexcept;
  ~DepthwiseConvolution();

  void operator()(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y) const;
  std::size_t scratch_bytes() const;

 private:
  struct Implementation;
  std::unique_ptr<const Implementation> implementation_;
};

extern template class Convolution<float>;
extern template class Convolution<bfloat16>;
extern template class DepthwiseConvolution<float>;
extern template class DepthwiseConvolution<bfloat16>;

}  // namespace crossfix::cpu
