/// Renders cities on a GPU, with the code that the CPU runs.
#pragma once

#include "crossfix/cuda/device.hpp"
#include "world/render/renderer.hpp"

namespace crossfix::world::gpu {

/// Renderers on `device`. Their images equal those of the CPU, with these exceptions: rounding,
/// where a ray grazes an edge or a colour lies between two levels; and large images, for which the
/// GPU sends all rays of every pixel. Throws DeviceError, as the renderers do.
RayDevice ray_device(const cuda::Device& device);

}  // namespace crossfix::world::gpu
