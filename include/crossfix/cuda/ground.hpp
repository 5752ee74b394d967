#pragma once

#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::cuda {

// What matching over the ground plane takes beside a backbone (contract: ops/backend.hpp), all of
// it in device memory. Each hands one kernel to the stream, does not wait for it and allocates
// nothing. Element is float, bfloat16 or float16; sums are in float. All throw ShapeError where
// shapes do not fit or views have gaps, DeviceError where a launch is refused.

/// The ground about a camera as each of `poses` (host memory) has it, a kernel each, out of a whole
/// equirectangular panorama, 8-bit RGB [height, width, 3], rows anywhere, a row without gaps:
/// y [poses, side, side, 3] = (value / 255 - mean) / std.
template <class Element>
void sample_ground(StreamView stream, const DeviceTraits& device,
                   TensorView<const std::uint8_t, 3, DeviceSpace> panorama,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

/// Every channel of x [h, w, c] less its mean and over its standard deviation, both over the
/// positions by weights [h, w], which must be at least 0 and some above: they are not looked at. y
/// may be x.
template <class Element>
void standardize(StreamView stream, const DeviceTraits& device,
                 TensorView<const Element, 3, DeviceSpace> x,
                 TensorView<const float, 2, DeviceSpace> weights,
                 TensorView<Element, 3, DeviceSpace> y);

/// scores [k, height, width] of views [k, h, w, c], h and w odd, over the shifts in a tile
/// [height, width, c] (ops::match_score), with weights [h, w] as above.
template <class Element>
void correlate(StreamView stream, const DeviceTraits& device,
               TensorView<const Element, 3, DeviceSpace> tile,
               TensorView<const Element, 4, DeviceSpace> views,
               TensorView<const float, 2, DeviceSpace> weights,
               TensorView<float, 3, DeviceSpace> scores);

}  // namespace crossfix::cuda
