#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/specification.hpp"

/// Descriptors of the baseline networks, for features of float, bfloat16 or float16. Each function
/// enqueues one kernel on the stream; it does not synchronise and does not allocate. It throws
/// ShapeError if shapes do not match, DeviceError if the launch fails.
namespace crossfix::cuda {

/// Descriptors of blocks of positions (contract: ops/backend.hpp): x [n, h, w, c], weights [heads,
/// positions, positions], bias [heads, positions], y [n x blocks, heads x c]. Also throws
/// ShapeError if the weights of a block do not fit into shared memory.
template <class Element>
void spatial_attention(StreamView stream, const DeviceTraits& device,
                       const ops::SpatialAttentionSpecification& specification,
                       TensorView<const Element, 4, DeviceSpace> x,
                       TensorView<const float, 3, DeviceSpace> weights,
                       TensorView<const float, 2, DeviceSpace> bias,
                       TensorView<float, 2, DeviceSpace> y);

/// Descriptors next to their dot products with the descriptor of their panorama (contract:
/// ops/backend.hpp).
template <class Element>
void match(StreamView stream, const DeviceTraits& device,
           TensorView<const float, 2, DeviceSpace> blocks,
           TensorView<const float, 2, DeviceSpace> panoramas,
           TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
