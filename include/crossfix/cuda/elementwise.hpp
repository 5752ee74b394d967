#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/specification.hpp"

/// Small operators over float, bfloat16 or float16. Each enqueues one kernel on the stream; it does
/// not synchronise and does not allocate. It throws ShapeError if shapes do not match or views have
/// gaps that are not allowed, DeviceError if the launch fails.
namespace crossfix::cuda {

/// z is x rounded to Element: [rows, columns]; rows may have any stride, columns are contiguous.
template <class Element>
void round(StreamView stream, const DeviceTraits& device, TensorView<const float, 2, DeviceSpace> x,
           TensorView<Element, 2, DeviceSpace> z);

/// y = x, both [a, b, c, d] of the same shape, any strides.
template <class Element>
void copy(StreamView stream, const DeviceTraits& device,
          TensorView<const Element, 4, DeviceSpace> x, TensorView<Element, 4, DeviceSpace> y);

/// y = min(y, most), NaN stays NaN: [rows, columns]; rows may have any stride, columns are
/// contiguous.
template <class Element>
void clip(StreamView stream, const DeviceTraits& device, TensorView<Element, 2, DeviceSpace> y,
          float most);

/// y = act(x + bias[channel] (+ r)) over contiguous NHWC activations [batch, height, width,
/// channel]; bias is [channel] of float, sums are in float. y may be x or r.
template <class Element>
void bias_activation(StreamView stream, const DeviceTraits& device,
                     TensorView<const Element, 4, DeviceSpace> x,
                     TensorView<const float, 1, DeviceSpace> bias, ops::Activation activation,
                     TensorView<Element, 4, DeviceSpace> y);
template <class Element>
void bias_residual_activation(StreamView stream, const DeviceTraits& device,
                              TensorView<const Element, 4, DeviceSpace> x,
                              TensorView<const Element, 4, DeviceSpace> r,
                              TensorView<const float, 1, DeviceSpace> bias,
                              ops::Activation activation, TensorView<Element, 4, DeviceSpace> y);

/// Largest number of outputs of a projection.
inline constexpr Index kProjectionOutputs = 4;

/// y[row, out] = x[row, in] W[out, in]^T + bias[out], with W, bias, sums and y in float, for at
/// most `kProjectionOutputs` outputs. Rows of x may be strided, columns are contiguous. W and bias
/// are contiguous; y may have any strides.
template <class Element>
void projection(StreamView stream, const DeviceTraits& device,
                TensorView<const Element, 2, DeviceSpace> x,
                TensorView<const float, 2, DeviceSpace> weights,
                TensorView<const float, 1, DeviceSpace> bias, TensorView<float, 2, DeviceSpace> y);

}  // namespace crossfix::cuda
