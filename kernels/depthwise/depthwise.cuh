#pragma once

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/specification.hpp"

/// Depthwise convolutions over NHWC activations: every channel has its own square kernel.
///
/// Tile: 128 items of one image; a block goes on to further images. An item is 16 bytes of channels
/// (one channel if the channels do not fill vectors) of kDepthwiseColumns output columns of a row.
/// One thread owns it, with its sums and the weights of one row of taps in registers. A warp reads
/// adjacent channels, then adjacent columns. No shared memory is used: inputs shared by output rows
/// come from L1 and L2.
///
/// Let apart = dilation / gcd(stride, dilation). Output columns j and j + apart read input columns
/// that are kStep = stride / gcd dilations apart. The columns of a thread are therefore `apart`
/// from each other, whatever the dilation, and an input that it loads is used for all of its
/// columns that have a tap there. A row of taps takes kStep (kDepthwiseColumns - 1) + kKernel loads
/// for kDepthwiseColumns kKernel products.
///
/// Bound: bytes, with the input read once from memory and the output written once. A 5x5 kernel in
/// 16 bits is also near the bound of its multiply-adds. Not yet measured.
namespace crossfix::kernels {

inline constexpr int kDepthwiseThreads = 128;
inline constexpr int kDepthwiseColumns = 4;
/// Minimum number of blocks per multiprocessor, which leaves 168 registers per thread: with fewer
/// registers, 5x5 kernels spill.
inline constexpr int kDepthwiseBlocks = 3;

/// Contiguous x [images, height, width, channels] to y [images, out_height, out_width, channels].
template <class Element>
struct Depthwise {
  const Element* x;
  const Element* weights;  ///< [kernel, kernel, channels]
  const float* bias;       ///< [channels]
  Element* y;
  Index images;
  int height, width, channels;
  int out_height, out_width;
  int kernel, stride, padding, dilation;
  int apart;    ///< distance between a thread's output columns
  int groups;   ///< groups of output columns of a row, each for one thread
  int vectors;  ///< vectors of kWidth elements that make up the channels
  int items;    ///< out_height x groups x vectors
  ops::ActivationLimits limits;
};

/// Position of a thread's item in an image, and of the input of its first tap, which may be
/// outside.
struct DepthwiseItem {
  int channel, group, row;
  int top;

  template <class Element>
  __device__ __forceinline__ DepthwiseItem(const Depthwise<Element>& d, int item, int width)
      : channel(item % d.vectors * width),
        group(item / d.vectors % d.groups),
        row(item / d.vectors / d.groups),
        top(row * d.stride - d.padding) {}
};

/// Clamps the sums of an output pixel to the limits and writes them.
template <int kWidth, class Element>
__device__ __forceinline__ void finish_depthwise(const Depthwise<Element>& d, Index image,
                                                 const DepthwiseItem& at, int column,
                                                 float (&sums)[kWidth]) {
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sums[i] = d.limits(sums[i]);
  const Index pixel = (image * d.out_height + at.row) * d.out_width + column;
  device::store_vector<kWidth>(d.y + pixel * d.channels + at.channel, sums);
}

/// Work sizes of a thread of `depthwise_columns`, a template argument with named fields.
struct DepthwiseTile {
  int width;   ///< channels
  int kernel;  ///< side of the convolution kernel
  int step;    ///< inputs from one output column of the thread to the next
};

/// A kernel's template argument: nvcc 13.0 cannot name, on the host, a kernel whose own argument is
/// of a class.
template <DepthwiseTile kTile>
struct DepthwiseLayout {
  static constexpr int kWidth = kTile.width;
  static constexpr int kKernel = kTile.kernel;
  static constexpr int kStep = kTile.step;
  /// Columns of the input that a thread reads.
  static constexpr int kInputs = kStep * (kDepthwiseColumns - 1) + kKernel;
};

/// The columns of one group are first + t apart.
template <class Element, class Tile>
__global__ void __launch_bounds__(kDepthwiseThreads, kDepthwiseBlocks)
    depthwise_columns(const Depthwise<Element> d) {
  constexpr int kWidth = Tile::kWidth;
  constexpr int kKernel = Tile::kKernel;
  constexpr int kStep = Tile::kStep;
  constexpr int kColumns = kDepthwiseColumns;
  const int item = static_cast<int>(blockIdx.x * kDepthwiseThreads + threadIdx.x);
  if (item >= d.items) return;
  const DepthwiseItem at(d, item, kWidth);
  const int first = at.group / d.apart * (d.apart * kColumns) + at.group % d.apart;
  if (first >= d.out_width) return;  // part of a last, incomplete set of `apart` groups
  const int left = first * d.stride - d.padding;
  float bias[kWidth];
  device::load_vector<kWidth>(d.bias + at.channel, bias);
  for (Index image = blockIdx.y; image < d.images; image += gridDim.y) {
    float sums[kColumns][kWidth];
#pragma unroll
    for (int t = 0; t < kColumns; ++t) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sums[t][i] = bias[i];
    }
#pragma unroll 1
    for (int a = 0; a < kKernel; ++a) {
      const int row = at.top + a * d.dilation;
      if (row < 0 || row >= d.height) continue;
      const Element* line = d.x + (image * d.height + row) * d.width * d.channels + at.channel;
      const Element* taps = d.weights + a * kKernel * d.channels + at.channel;
      float weights[kKernel][kWidth];
#pragma unroll
      for (int b = 0; b < kKernel; ++b) {
        device::load_vector<kWidth>(taps + b * d.channels, weights[b]);
      }
#pragma unroll
      for (int u = 0; u < Tile::kInputs; ++u) {
        const int column = left + u * d.dilation;
        float values[kWidth] = {};
        if (column >= 0 && column < d.width) {
          device::load_vector<kWidth>(line + column * d.channels, values);
        }
#pragma unroll
        for (int t = 0; t < kColumns; ++t) {
          const int b = u - kStep * t;  // the tap of column t that reads this input
          if (b < 0 || b >= kKernel) continue;
#pragma unroll
          for (int i = 0; i < kWidth; ++i) {
            sums[t][i] = fmaf(values[i], weights[b][i], sums[t][i]);
          }
        }
      }
    }
#pragma unroll
    for (int t = 0; t < kColumns; ++t) {
      const int column = first + t * d.apart;
      if (column < d.out_width) finish_depthwise<kWidth>(d, image, at, column, sums[t]);
    }
  }
}

/// For any kernel, stride and dilation: a thread owns one output column, and reuses nothing.
template <class Element, int kWidth>
__global__ void __launch_bounds__(kDepthwiseThreads) depthwise_any(const Depthwise<Element> d) {
  const int item = static_cast<int>(blockIdx.x * kDepthwiseThreads + threadIdx.x);
  if (item >= d.items) return;
  const DepthwiseItem at(d, item, kWidth);
  const int left = at.group * d.stride - d.padding;
  for (Index image = blockIdx.y; image < d.images; image += gridDim.y) {
    float sums[kWidth];
    device::load_vector<kWidth>(d.bias + at.channel, sums);
#pragma unroll 1
    for (int a = 0; a < d.kernel; ++a) {
      const int row = at.top + a * d.dilation;
      if (row < 0 || row >= d.height) continue;
      const Element* line = d.x + (image * d.height + row) * d.width * d.channels + at.channel;
      const Element* taps = d.weights + a * d.kernel * d.channels + at.channel;
#pragma unroll 1
      for (int b = 0; b < d.kernel; ++b) {
        const int column = left + b * d.dilation;
        if (column < 0 || column >= d.width) continue;
        float values[kWidth];
        float weights[kWidth];
        device::load_vector<kWidth>(line + column * d.channels, values);
        device::load_vector<kWidth>(taps + b * d.channels, weights);
#pragma unroll
        for (int i = 0; i < kWidth; ++i) sums[i] = fmaf(values[i], weights[i], sums[i]);
      }
    }
    finish_depthwise<kWidth>(d, image, at, at.group, sums);
  }
}

}  // namespace crossfix::kernels
