#pragma once

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/specification.hpp"

/// Small operators between the large ones. None uses shared memory. Bound: bytes, each element read
/// once and written once; not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kElementwiseThreads = 256;

/// Rounds rows of floats. Tile: 256 vectors of kWidth elements of a row, one per thread; a block
/// goes on to further rows.
template <class Element, int kWidth>
__global__ void __launch_bounds__(kElementwiseThreads)
    round_rows(const float* x, Index x_stride, Element* z, Index z_stride, Index rows,
               Index columns) {
  const Index column =
      (static_cast<Index>(blockIdx.x) * kElementwiseThreads + threadIdx.x) * kWidth;
  if (column >= columns) return;
  const Index left = columns - column;
  const int count = left < kWidth ? static_cast<int>(left) : kWidth;
  for (Index row = blockIdx.y; row < rows; row += gridDim.y) {
    float values[kWidth];
    device::load_part<kWidth>(x + row * x_stride + column, count, 0.0f, values);
    device::store_part<kWidth>(z + row * z_stride + column, count, values);
  }
}

/// Clips rows to at most `most`, in place. Tile: as for round_rows. NaN stays NaN.
template <class Element, int kWidth>
__global__ void __launch_bounds__(kElementwiseThreads)
    clip_rows(Element* y, Index y_stride, Index rows, Index columns, float most) {
  const Index column =
      (static_cast<Index>(blockIdx.x) * kElementwiseThreads + threadIdx.x) * kWidth;
  if (column >= columns) return;
  const Index left = columns - column;
  const int count = left < kWidth ? static_cast<int>(left) : kWidth;
  for (Index row = blockIdx.y; row < rows; row += gridDim.y) {
    float values[kWidth];
    device::load_part<kWidth>(y + row * y_stride + column, count, 0.0f, values);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      if (values[i] > most) values[i] = most;
    }
    device::store_part<kWidth>(y + row * y_stride + column, count, values);
  }
}

/// Views of four axes, with their strides in elements.
template <class Element>
struct Copy {
  const Element* x;
  Element* y;
  Index extent[4];
  Index x_stride[4];
  Index y_stride[4];
};

/// Copies between views of any strides. Tile: 256 elements, one per thread, with the last axis
/// fastest; a block goes on to further elements.
template <class Element>
__global__ void __launch_bounds__(kElementwiseThreads)
    copy_elements(const Copy<Element> copy, Index count) {
  const Index step = static_cast<Index>(gridDim.x) * kElementwiseThreads;
  for (Index i = static_cast<Index>(blockIdx.x) * kElementwiseThreads + threadIdx.x; i < count;
       i += step) {
    Index rest = i;
    Index from = 0;
    Index to = 0;
#pragma unroll
    for (int axis = 3; axis >= 0; --axis) {
      const Index at = rest % copy.extent[axis];
      rest /= copy.extent[axis];
      from += at * copy.x_stride[axis];
      to += at * copy.y_stride[axis];
    }
    copy.y[to] = copy.x[from];
  }
}

/// Pixels of NHWC activations, each with `vectors` vectors of channels.
template <class Element>
struct EpiloguePixels {
  const Element* x;
  const Element* r;  ///< null if there is none
  Element* y;
  const float* bias;
  Index items;  ///< pixels x vectors
  int vectors;
  ops::ActivationLimits limits;
};

/// Adds bias and residual, then applies the activation. Tile: kWidth channels of a pixel, one
/// vector per thread. The number of threads in the grid is a multiple of `vectors`, so that a
/// thread keeps its channels and their biases when it strides on. It reads before it writes, and no
/// other thread accesses its items: y may be x or r.
template <class Element, int kWidth>
__global__ void __launch_bounds__(kElementwiseThreads)
    epilogue_pixels(const EpiloguePixels<Element> pixels) {
  const Index first = static_cast<Index>(blockIdx.x) * kElementwiseThreads + threadIdx.x;
  const Index step = static_cast<Index>(gridDim.x) * kElementwiseThreads;
  float bias[kWidth];
  device::load_vector<kWidth>(pixels.bias + first % pixels.vectors * kWidth, bias);
  for (Index item = first; item < pixels.items; item += step) {
    float values[kWidth];
    device::load_vector<kWidth>(pixels.x + item * kWidth, values);
    float added[kWidth] = {};
    if (pixels.r != nullptr) device::load_vector<kWidth>(pixels.r + item * kWidth, added);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      values[i] += bias[i];
      values[i] += added[i];
      values[i] = pixels.limits(values[i]);
    }
    device::store_vector<kWidth>(pixels.y + item * kWidth, values);
  }
}

/// Rows of x, weights and y; strides in elements.
template <class Element>
struct ProjectionRows {
  const Element* x;
  const float* weights;  ///< [out, in]
  const float* bias;
  float* y;
  Index rows, x_stride, y_stride, y_step;  ///< y_step: between the outputs of a row
  int in, out;
};

/// Few outputs for each row. Tile: one row per warp. Lane t owns vectors t, t + 32, ... of kWidth
/// inputs, and the sums of all outputs over them. Weights stay in L1. Bound: bytes of x.
template <class Element, int kWidth, int kOutputs>
__global__ void __launch_bounds__(kElementwiseThreads)
    project_rows(const ProjectionRows<Element> rows) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const Index row = static_cast<Index>(blockIdx.x) * (kElementwiseThreads / kWarp) +
                    static_cast<Index>(threadIdx.x) / kWarp;
  if (row >= rows.rows) return;
  const Element* x = rows.x + row * rows.x_stride;
  float sums[kOutputs] = {};
  for (int first = lane * kWidth; first < rows.in; first += kWarp * kWidth) {
    float values[kWidth];
    device::load_part<kWidth>(x + first, rows.in - first, 0.0f, values);
#pragma unroll
    for (int o = 0; o < kOutputs; ++o) {
      if (o >= rows.out) break;
      float weights[kWidth];
      device::load_part<kWidth>(rows.weights + static_cast<Index>(o) * rows.in + first,
                                rows.in - first, 0.0f, weights);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sums[o] = fmaf(values[i], weights[i], sums[o]);
    }
  }
#pragma unroll
  for (int o = 0; o < kOutputs; ++o) {
    if (o >= rows.out) break;
    const float sum = device::across_lanes(sums[o], kWarp, device::Add{});
    if (lane == 0) rows.y[row * rows.y_stride + o * rows.y_step] = sum + rows.bias[o];
  }
}

}  // namespace crossfix::kernels
