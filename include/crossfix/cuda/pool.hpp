#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/specification.hpp"

/// Max pools over contiguous NHWC activations of float, bfloat16 or float16. A window that contains
/// NaN gives NaN. Each function enqueues one kernel on the stream; it does not synchronise and does
/// not allocate. It throws ShapeError if shapes do not match, DeviceError if the launch fails.
namespace crossfix::cuda {

/// Halves both axes: x [n, h, w, c] to y [n, (h - 1) / 2 + 1, (w - 1) / 2 + 1, c].
template <class Element>
void max_pool(StreamView stream, const DeviceTraits& device, ops::PoolWindow window,
              TensorView<const Element, 4, DeviceSpace> x, TensorView<Element, 4, DeviceSpace> y);

/// The maximum over `ops::adaptive_range` on both axes: x [n, h, w, c] to y [n, h', w', c]. Also
/// throws ShapeError if y is larger than x.
template <class Element>
void adaptive_max_pool(StreamView stream, const DeviceTraits& device,
                       TensorView<const Element, 4, DeviceSpace> x,
                       TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
