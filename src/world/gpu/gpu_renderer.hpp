/// Renders cities on a GPU, by the code that the CPU runs.
#pragma once

#include "crossfix/cuda/device.hpp"
#include "world/render/renderer.hpp"

namespace crossfix::world::gpu {

/// Renderers on `device`. Their images are the CPU's but for rounding, where a ray grazes an edge
/// or a colour lies between two levels, and for large images, in which the GPU sends all rays of
/// every pixel. Throws DeviceError, as the renderers do.
RayDevice ray_device(const cuda::Device& device);

}  // namespace crossfix::world::gpu
