#include "cast.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/kernels/device/cuda.cuh"
#include "crossfix/kernels/device/launch.cuh"
#include "world/render/look.hpp"
#include "world/render/raster.hpp"

/// A thread follows all rays of one pixel, a warp those of 8 x 4 pixels, which mostly end on the
/// same few surfaces. A block has 8 x 16 pixels. There is no shared memory: neighbouring rays read
/// the same parts of the city from L1 and L2, and the solids around a camera fit there.
///
/// Bound: the instructions of rays that diverge, and the latency of their loads. Not yet measured.
namespace crossfix::world::gpu {
namespace {

constexpr int kPatchWidth = 8;
constexpr int kPatchHeight = 16;
constexpr int kThreads = kPatchWidth * kPatchHeight;
/// Blocks a multiprocessor. This leaves a thread 80 registers, with no spills. Without it the
/// compiler uses 64, and spills.
constexpr int kBlocks = 6;

struct Pixel {
  int row;
  int column;
};

/// The pixel of this thread; it may be outside the image.
__device__ inline Pixel own_pixel() {
  const int thread = static_cast<int>(threadIdx.x);
  return {static_cast<int>(blockIdx.y) * kPatchHeight + thread / kPatchWidth,
          static_cast<int>(blockIdx.x) * kPatchWidth + thread % kPatchWidth};
}

__device__ inline void store(std::uint8_t* rgb, int width, Pixel at, Vec3 colour) {
  std::uint8_t* pixel = rgb + (static_cast<std::size_t>(at.row) * static_cast<std::size_t>(width) +
                               static_cast<std::size_t>(at.column)) *
                                  3;
  pixel[0] = display_level(display_step(colour.x));
  pixel[1] = display_level(display_step(colour.y));
  pixel[2] = display_level(display_step(colour.z));
}

__global__ void __launch_bounds__(kThreads, kBlocks) cast_tile(const TileCast tile) {
  const Pixel at = own_pixel();
  if (at.row >= tile.size || at.column >= tile.size) return;
  store(tile.rgb, tile.size, at,
        tile_pixel(tile.shadows, tile.light, tile.centre, tile.metres, tile.size, at.row, at.column,
                   tile.samples, tile.lean));
}

__global__ void __launch_bounds__(kThreads, kBlocks) cast_panorama(const PanoramaCast panorama) {
  const Pixel at = own_pixel();
  if (at.row >= panorama.height || at.column >= panorama.width) return;
  store(panorama.rgb, panorama.width, at,
        panorama_pixel(panorama.shadows, panorama.light, panorama.eye, at.row, at.column,
                       panorama.height, panorama.width, panorama.samples));
}

device::LaunchShape patches(int height, int width) {
  const auto count = [](int pixels, int patch) {
    return static_cast<unsigned>(ceil_div(pixels, patch));
  };
  return {dim3(count(width, kPatchWidth), count(height, kPatchHeight)), kThreads, 0};
}

}  // namespace

void cast(cuda::StreamView stream, const TileCast& tile) {
  device::launch(stream, patches(tile.size, tile.size), "cast_tile", cast_tile, tile);
}

void cast(cuda::StreamView stream, const PanoramaCast& panorama) {
  device::launch(stream, patches(panorama.height, panorama.width), "cast_panorama", cast_panorama,
                 panorama);
}

}  // namespace crossfix::world::gpu
