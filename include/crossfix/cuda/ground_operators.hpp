#pragma once

#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::cuda {

// The operators of matching over the ground plane (contract: ops/backend.hpp; kernels:
// cuda/ground.hpp). `Element` is float, bfloat16 or float16. Arguments in host memory are copied to
// the device in the order of the stream. All throw ShapeError if shapes do not match, DeviceError
// if memory is short.

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

template <class Element>
void standardize(Context& context, TensorView<const Element, 3, DeviceSpace> x,
                 TensorView<const float, 2> weights, TensorView<Element, 3, DeviceSpace> y);

template <class Element>
void correlate(Context& context, TensorView<const Element, 3, DeviceSpace> tile,
               TensorView<const Element, 4, DeviceSpace> views, TensorView<const float, 2> weights,
               TensorView<float, 3, DeviceSpace> scores);

}  // namespace crossfix::cuda
