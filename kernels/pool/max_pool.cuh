#pragma once

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/specification.hpp"

/// Max pools over NHWC activations.
///
/// Tile: 256 vectors of 16 bytes of one output row (single elements if the channels do not fill
/// vectors); a block goes on to further rows. Thread t owns one vector of channels of one output
/// pixel, so that a warp reads adjacent channels, then adjacent pixels. No shared memory: inputs
/// shared by adjacent windows come from L1 and L2.
///
/// Bound: bytes, with the input read once from memory and the output written once. Not yet
/// measured.
namespace crossfix::kernels {

inline constexpr int kPoolThreads = 256;

/// Windows of a pool that halves an axis.
struct HalvingWindows {
  ops::PoolWindow window;
  Index inputs;
  __device__ __forceinline__ int begin(int i) const {
    return static_cast<int>(ops::max_pool_range(window, i, inputs).begin);
  }
  __device__ __forceinline__ int end(int i) const {
    return static_cast<int>(ops::max_pool_range(window, i, inputs).end);
  }
};

/// Windows of an adaptive pool along an axis.
struct AdaptiveWindows {
  Index inputs;
  Index outputs;
  __device__ __forceinline__ int begin(int i) const {
    return static_cast<int>(ops::adaptive_range(i, inputs, outputs).begin);
  }
  __device__ __forceinline__ int end(int i) const {
    return static_cast<int>(ops::adaptive_range(i, inputs, outputs).end);
  }
};

/// Contiguous x [n, height, width, channels] to y [n, out_height, out_width, channels].
template <class Element, class Windows>
struct Pool {
  const Element* x;
  Element* y;
  Index out_rows;  ///< n x out_height
  int height, width, channels;
  int out_height, out_width;
  Windows vertical, horizontal;
};

/// The channels consist of `vectors` vectors of kWidth elements.
template <class Element, int kWidth, class Windows>
__global__ void __launch_bounds__(kPoolThreads)
    pool_rows(const Pool<Element, Windows> pool, int vectors) {
  const int item = static_cast<int>(blockIdx.x * kPoolThreads + threadIdx.x);
  if (item >= pool.out_width * vectors) return;
  const int column = item / vectors;
  const int channel = item % vectors * kWidth;
  const int left = pool.horizontal.begin(column);
  const int right = pool.horizontal.end(column);
  for (Index out_row = blockIdx.y; out_row < pool.out_rows; out_row += gridDim.y) {
    const Index image = out_row / pool.out_height;
    const int row = static_cast<int>(out_row % pool.out_height);
    const int bottom = pool.vertical.end(row);
    float largest[kWidth];
#pragma unroll
    for (int i = 0; i < kWidth; ++i) largest[i] = -__builtin_inff();
    for (int r = pool.vertical.begin(row); r < bottom; ++r) {
      const Element* line = pool.x + ((image * pool.height + r) * pool.width) * pool.channels;
      for (int c = left; c < right; ++c) {
        float values[kWidth];
        device::load_vector<kWidth>(line + static_cast<Index>(c) * pool.channels + channel, values);
#pragma unroll
        for (int i = 0; i < kWidth; ++i) {
          if (values[i] > largest[i] || values[i] != values[i]) largest[i] = values[i];
        }
      }
    }
    device::store_vector<kWidth>(
        pool.y + (out_row * pool.out_width + column) * pool.channels + channel, largest);
  }
}

}  // namespace crossfix::kernels
