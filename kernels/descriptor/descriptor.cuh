#pragma once

#include <cstddef>

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"

/// Descriptors of the baseline networks.
///
/// Spatial attention. Tile: the positions of one block of an image, with all channels; one thread
/// block per tile. Shared memory: one sum per warp, the summary of each position, the weights of
/// all heads. A warp summarises one position at a time. Then each thread owns a weight, then a
/// channel of a head, so that adjacent threads read adjacent weights and features. Features are
/// read three times from L2.
///
/// Matching. Tile: the descriptor of one block; one thread block per tile.
///
/// Bound: latency, of a few small sums. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kDescriptorThreads = 256;

template <class Element>
struct DescribedBlocks {
  const Element* x;      ///< [n, height, width, channels]
  const float* weights;  ///< [heads, positions, positions]
  const float* bias;     ///< [heads, positions]
  float* y;
  Index y_stride;
  int height, width, channels;
  int rows, cols, heads;  ///< rows and columns of a block; heads
  bool maximum, normalized;
  float shortest;
};

constexpr std::size_t described_shared_bytes(Index positions, Index heads) {
  return static_cast<std::size_t>(kWarp + (1 + heads) * positions) * sizeof(float);
}

template <class Element>
__global__ void __launch_bounds__(kDescriptorThreads)
    describe_blocks(const DescribedBlocks<Element> d) {
  auto* scratch = reinterpret_cast<float*>(device::shared_memory());
  float* summary = scratch + kWarp;
  const int positions = d.rows * d.cols;
  float* weight = summary + positions;
  const int thread = static_cast<int>(threadIdx.x);
  const int across = d.width / d.cols;
  const int blocks = d.height / d.rows * across;
  const int block = static_cast<int>(blockIdx.x % blocks);
  const Index image = blockIdx.x / blocks;
  const Element* first =
      d.x + ((image * d.height + block / across * d.rows) * d.width + block % across * d.cols) *
                d.channels;
  const auto feature = [&](int p, int c) {
    float value[1];
    const Index pixel = static_cast<Index>(p / d.cols) * d.width + p % d.cols;
    device::load_vector<1>(first + pixel * d.channels + c, value);
    return value[0];
  };

  for (int p = thread / kWarp; p < positions; p += kDescriptorThreads / kWarp) {
    float value = d.maximum ? -__builtin_inff() : 0.0f;
    for (int c = thread % kWarp; c < d.channels; c += kWarp) {
      value = d.maximum ? fmaxf(value, feature(p, c)) : value + feature(p, c);
    }
    value = d.maximum ? device::across_lanes(value, kWarp, device::Maximum{})
                      : device::across_lanes(value, kWarp, device::Add{}) /
                            static_cast<float>(d.channels);
    if (thread % kWarp == 0) summary[p] = value;
  }
  __syncthreads();
  for (int i = thread; i < d.heads * positions; i += kDescriptorThreads) {
    const float* column =
        d.weights + static_cast<Index>(i / positions) * positions * positions + i % positions;
    float sum = d.bias[i];
    for (int q = 0; q < positions; ++q)
      sum += summary[q] * column[static_cast<Index>(q) * positions];
    weight[i] = sum;
  }
  __syncthreads();
  float* y = d.y + static_cast<Index>(blockIdx.x) * d.y_stride;
  const int length = d.heads * d.channels;
  float squares = 0.0f;
  for (int i = thread; i < length; i += kDescriptorThreads) {
    const float* own = weight + i / d.channels * positions;
    float sum = 0.0f;
    for (int p = 0; p < positions; ++p) sum += own[p] * feature(p, i % d.channels);
    squares += sum * sum;
    y[i] = sum;
  }
  if (!d.normalized) return;
  const float all = device::across_block(squares, scratch, 0.0f, device::Add{});
  const float scale = 1.0f / fmaxf(sqrtf(all), d.shortest);
  for (int i = thread; i < length; i += kDescriptorThreads) y[i] *= scale;
}

template <class Element>
__global__ void __launch_bounds__(kDescriptorThreads)
    match_blocks(const float* blocks, const float* panoramas, Element* y, int length, int channels,
                 int cells) {
  auto* scratch = reinterpret_cast<float*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const float* block = blocks + static_cast<Index>(blockIdx.x) * length;
  const float* panorama = panoramas + static_cast<Index>(blockIdx.x / cells) * length;
  Element* out = y + static_cast<Index>(blockIdx.x) * channels;
  float own = 0.0f;
  for (int c = thread; c < length; c += kDescriptorThreads) own += block[c] * panorama[c];
  const float dot = device::across_block(own, scratch, 0.0f, device::Add{});
  for (int c = thread; c < channels; c += kDescriptorThreads) {
    const float value[1] = {c < length ? block[c] : c == length ? dot : 0.0f};
    device::store_vector<1>(out + c, value);
  }
}

}  // namespace crossfix::kernels
