#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// y[row, c] = (s - mean(s)) / sqrt(variance(s) + epsilon) * scale[c] + shift[c], with s = x (+ r),
/// and mean and (population) variance over the row; z[row, c] is y rounded to Element. x, r and y
/// are [rows, channels] of float, z of float, bfloat16 or float16; scale and shift are [channels]
/// of float, contiguous. Rows may be strided, columns are contiguous; y may be x or r. At most
/// `kLayerNormChannels` channels.
///
/// Enqueues one kernel on the stream; does not synchronise and does not allocate. Throws ShapeError
/// if shapes do not match or columns have gaps, DeviceError if the launch fails.
template <class Element>
void layer_norm(StreamView stream, const DeviceTraits& device,
                TensorView<const float, 2, DeviceSpace> x,
                TensorView<const float, 1, DeviceSpace> scale,
                TensorView<const float, 1, DeviceSpace> shift, float epsilon,
                TensorView<float, 2, DeviceSpace> y, TensorView<Element, 2, DeviceSpace> z);
template <class Element>
void layer_norm(StreamView stream, const DeviceTraits& device,
                TensorView<const float, 2, DeviceSpace> x,
                TensorView<const float, 2, DeviceSpace> r,
                TensorView<const float, 1, DeviceSpace> scale,
                TensorView<const float, 1, DeviceSpace> shift, float epsilon,
                TensorView<float, 2, DeviceSpace> y, TensorView<Element, 2, DeviceSpace> z);

inline constexpr Index kLayerNormChannels = 8192;

}  // namespace crossfix::cuda
