/// Launches kernels that follow the rays of an image. All pointers are device memory. Work is
/// enqueued on the stream and not waited for.
#pragma once

#include <cstdint>

#include "crossfix/cuda/stream.hpp"
#include "world/render/light.hpp"
#include "world/render/rays.hpp"

namespace crossfix::world::gpu {

/// A tile as for TileRenderer::render, rgb [size, size, 3].
struct TileCast {
  ShadowView shadows;
  Light light;
  Vec2 centre;
  float metres;
  int size;
  int samples;  ///< rays along each axis, in every pixel
  Vec2 lean;
  std::uint8_t* rgb;
};

/// A panorama as for render_panorama, rgb [height, width, 3].
struct PanoramaCast {
  ShadowView shadows;
  Light light;
  Vec3 eye;
  int height;
  int width;
  int samples;  ///< rays along each axis, in every pixel
  std::uint8_t* rgb;
};

/// Throw DeviceError if the launch is refused.
void cast(cuda::StreamView stream, const TileCast& tile);
void cast(cuda::StreamView stream, const PanoramaCast& panorama);

}  // namespace crossfix::world::gpu
