#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/log_sum_exp.hpp"

namespace crossfix::cuda {

/// y[row, i] = softmax over i of (scale * x[row, i] + bias[row mod bias rows, i]), with sums in
/// float. x and y are [rows, n] of float, bfloat16 or float16, any n. bias is [bias rows, n] of
/// float; its number of rows divides that of x. Rows may be strided, columns are contiguous. y may
/// be x.
///
/// A row that contains NaN or a score of +inf, or only scores of -inf, becomes NaN, as the formula
/// gives.
///
/// Enqueues one kernel on the stream; does not synchronise and does not allocate. Throws ShapeError
/// if shapes do not match or columns have gaps, DeviceError if the launch fails.
template <class Element>
void softmax(StreamView stream, const DeviceTraits& device,
             TensorView<const Element, 2, DeviceSpace> x, float scale,
             TensorView<Element, 2, DeviceSpace> y);
template <class Element>
void softmax(StreamView stream, const DeviceTraits& device,
             TensorView<const Element, 2, DeviceSpace> x, float scale,
             TensorView<const float, 2, DeviceSpace> bias, TensorView<Element, 2, DeviceSpace> y);

/// Log-sum-exp along both axes (ops/log_sum_exp.hpp), all in device memory. Enqueues one kernel on
/// the stream; throws as above.
void log_sum_exp(StreamView stream, const DeviceTraits& device,
                 TensorView<const float, 2, DeviceSpace> scores,
                 TensorView<const float, 1, DeviceSpace> bias, float scale,
                 TensorView<float, 1, DeviceSpace> of_rows,
                 TensorView<float, 1, DeviceSpace> of_columns);

}  // namespace crossfix::cuda
