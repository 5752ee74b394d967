#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// Depthwise convolution over contiguous NHWC activations of float, bfloat16 or float16: x [n, h,
/// w, c] to y = act(sum + bias) [n, h', w', c], the specification's output shape. Weights are
/// [kernel row, kernel column, c] of Element and bias is [c] of float, both contiguous. Sums are in
/// float; y may not overlap x. Enqueues one kernel on the stream; does not synchronise and does not
/// allocate. Throws ShapeError if shapes do not match or views have gaps, DeviceError if the launch
/// fails.
template <class Element>
void depthwise_convolution(StreamView stream, const DeviceTraits& device,
                           const ops::DepthwiseConvolutionSpecification& specification,
                           TensorView<const Element, 4, DeviceSpace> x,
                           TensorView<const Element, 3, DeviceSpace> weights,
                           TensorView<const float, 1, DeviceSpace> bias,
                           TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
