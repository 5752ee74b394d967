#pragma once

#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::cuda {

// Kernels that matching over the ground plane needs besides a backbone (contract: ops/backend.hpp).
// All data is in device memory unless noted. Each function enqueues one kernel on the stream
// (sample_ground one per pose); it does not synchronise and does not allocate. Element is float,
// bfloat16 or float16; sums are in float. All throw ShapeError if shapes do not match or views have
// gaps, DeviceError if a launch fails.

/// Samples the ground around a camera, once for each of `poses` (host memory), with one kernel per
/// pose. The source is a whole equirectangular panorama, 8-bit RGB [height, width, 3]; rows may
/// have any stride, a row has no gaps. y [poses, side, side, 3] = (value / 255 - mean) / std.
template <class Element>
void sample_ground(StreamView stream, const DeviceTraits& device,
                   TensorView<const std::uint8_t, 3, DeviceSpace> panorama,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

/// The same out of an image that `camera` took; y is 0 for ground that it does not show. Throws
/// ShapeError for an image of another size too.
template <class Element>
void sample_ground(StreamView stream, const DeviceTraits& device,
                   TensorView<const std::uint8_t, 3, DeviceSpace> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

/// Subtracts from every channel of x [h, w, c] its mean and divides it by its standard deviation,
/// both over the positions with weights [h, w]. The weights must be at least 0 and not all 0; this
/// is not checked. y may be x.
template <class Element>
void standardize(StreamView stream, const DeviceTraits& device,
                 TensorView<const Element, 3, DeviceSpace> x,
                 TensorView<const float, 2, DeviceSpace> weights,
                 TensorView<Element, 3, DeviceSpace> y);

/// scores [k, height, width] of views [k, h, w, c], h and w odd, over the shifts in a tile [height,
/// width, c] (ops::match_score), with weights [h, w] as above.
template <class Element>
void correlate(StreamView stream, const DeviceTraits& device,
               TensorView<const Element, 3, DeviceSpace> tile,
               TensorView<const Element, 4, DeviceSpace> views,
               TensorView<const float, 2, DeviceSpace> weights,
               TensorView<float, 3, DeviceSpace> scores);

}  // namespace crossfix::cuda
