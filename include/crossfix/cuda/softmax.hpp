#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/log_sum_exp.hpp"

namespace crossfix::cuda {

/// y[row, i] = softmax over i of (scale * x[row, i] + bias[row mod bias rows, i]), with sums in
/// float. x and y are [rows, n] of float, bfloat16 or float16, any n; bias is [bias rows, n] of
/// float, its rows a divisor of x's. Rows may be strided, columns are contiguous. y may be x.
///
/// A row that holds a NaN or a score of +inf, or only scores of -inf, becomes NaN, as the formula
/// gives.
///
/// Hands one kernel to the stream; does not wait for it, allocates nothing. Throws ShapeError where
/// shapes do not fit or columns have gaps, DeviceError where the launch is refused.
template <class Element>
void softmax(StreamView stream, const DeviceTraits& device,
             TensorView<const Element, 2, DeviceSpace> x, float scale,
             TensorView<Element, 2, DeviceSpace> y);
template <class Element>
void softmax(StreamView stream, const DeviceTraits& device,
             TensorView<const Element, 2, DeviceSpace> x, float scale,
             TensorView<const float, 2, DeviceSpace> bias, TensorView<Element, 2, DeviceSpace> y);

/// The logarithms of sums of exponentials along both axes (ops/log_sum_exp.hpp), all in device
/// memory. Hands one kernel to the stream; throws as above.
void log_sum_exp(StreamView stream, const DeviceTraits& device,
                 TensorView<const float, 2, DeviceSpace> scores,
                 TensorView<const float, 1, DeviceSpace> bias, float scale,
                 TensorView<float, 1, DeviceSpace> of_rows,
                 TensorView<float, 1, DeviceSpace> of_columns);

}  // namespace crossfix::cuda
