#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/specification.hpp"

/// The baselines' descriptors, of float, bfloat16 or float16 features. Each hands one kernel to the
/// stream, does not wait for it and allocates nothing; throws ShapeError where shapes do not fit,
/// DeviceError where the launch is refused.
namespace crossfix::cuda {

/// Descriptors of blocks of positions (contract: ops/backend.hpp): x [n, h, w, c], weights [heads,
/// positions, positions], bias [heads, positions], y [n x blocks, heads x c]. Throws ShapeError
/// also for blocks whose weights do not fit into shared memory.
template <class Element>
void spatial_attention(StreamView stream, const DeviceTraits& device,
                       const ops::SpatialAttentionSpecification& specification,
                       TensorView<const Element, 4, DeviceSpace> x,
                       TensorView<const float, 3, DeviceSpace> weights,
                       TensorView<const float, 2, DeviceSpace> bias,
                       TensorView<float, 2, DeviceSpace> y);

/// Descriptors beside their dot products with their panorama's (contract: ops/backend.hpp).
template <class Element>
void match(StreamView stream, const DeviceTraits& device,
           TensorView<const float, 2, DeviceSpace> blocks,
           TensorView<const float, 2, DeviceSpace> panoramas,
           TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
