#pragma once

#include <cstddef>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// Convolutions by cuDNN (contract: ops/backend.hpp). Bias, residual and activation are fused if
/// cuDNN supports it (the bias is then rounded to `Element`); otherwise a crossfix kernel applies
/// them after the plain convolution. The upper limit of an activation is always applied by a
/// crossfix kernel. `Element` is float, bfloat16 or float16. Sums are float; float elements do not
/// use TF32.
template <class Element>
class Convolution {
 public:
  /// Copies the weights to the device and waits for the copy. Throws ShapeError if shapes do not
  /// match, DeviceError if cuDNN cannot compute the convolution.
  Convolution(const Target& target, const ops::ConvolutionSpecification& specification,
              TensorView<const float, 4> weights, TensorView<const float, 1> bias,
              const Shape<4>& input_shape);
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) noexcept;
  ~Convolution();

  void operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                  TensorView<Element, 4, DeviceSpace> y) const;
  void operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                  TensorView<const Element, 4, DeviceSpace> r,
                  TensorView<Element, 4, DeviceSpace> y) const;
  std::size_t scratch_bytes() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

extern template class Convolution<float>;
extern template class Convolution<bfloat16>;
extern template class Convolution<float16>;

}  // namespace crossfix::cuda
