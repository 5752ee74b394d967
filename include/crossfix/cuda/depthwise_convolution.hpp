#pragma once

#include <cstddef>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// Depthwise convolutions (contract: ops/backend.hpp; kernel: cuda/depthwise.hpp). `Element` is
/// float, bfloat16 or float16.
template <class Element>
class DepthwiseConvolution {
 public:
  /// Copies the weights to the device and waits for the copy. Throws ShapeError if shapes do not
  /// match, DeviceError if memory is short.
  DepthwiseConvolution(const Target& target,
                       const ops::DepthwiseConvolutionSpecification& specification,
                       TensorView<const float, 3> weights, TensorView<const float, 1> bias,
                       const Shape<4>& input_shape);

  void operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                  TensorView<Element, 4, DeviceSpace> y) const;
  std::size_t scratch_bytes() const { return 0; }

 private:
  ops::DepthwiseConvolutionSpecification specification_;
  Shape<4> input_shape_;
  DeviceBuffer weights_;  // [kernel row, kernel column, channel] of Element
  DeviceBuffer bias_;     // [channel] of float
};

extern template class DepthwiseConvolution<float>;
extern template class DepthwiseConvolution<bfloat16>;
extern template class DepthwiseConvolution<float16>;

}  // namespace crossfix::cuda
