#pragma once

#include <cstddef>
#include <cstdint>

#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/ground.hpp"

/// Views of the ground from panoramas, and features standardized over weighted positions.
///
/// sample_ground. Tile: 256 pixels of the view. A thread owns one pixel with its three channels. It
/// reads four pixels of the panorama, as unaligned bytes; adjacent threads share them through L1.
/// No shared memory. Bound: the latency of those reads, and one or two arc tangents per pixel. Not
/// yet measured.
///
/// sample_ground with a camera. The same tile; the camera's model and pose are a kernel argument,
/// and a pixel outside of the image reads nothing. Not yet measured.
///
/// standardize. Tile: 16 bytes of channels (one channel if the channels do not fill vectors) at all
/// positions, for a block of 256 threads. Thread t owns positions t, t + 256, ... They are read
/// four times: for the mean, for a correction of its rounding error from the differences, for the
/// squares of the differences, and to write. A constant channel therefore becomes 0 up to
/// second-order rounding errors, whatever its value. Every sum is complete before a block writes,
/// and no other block reads its channels: y may be x. Shared memory: one float per channel and
/// warp. Bound: the latency of L2, which holds a map after the first pass: few channels make few
/// blocks. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kGroundThreads = 256;
inline constexpr int kStandardizeThreads = 256;

/// The panorama [height, width, 3], and y [side, side, 3], contiguous.
template <class Element>
struct GroundView {
  const std::uint8_t* panorama;
  Index row_stride;  ///< bytes
  int height, width;
  int side;
  float metres_per_pixel, camera_height, heading_degrees;
  float mean[3], std[3];
  Element* y;
};

template <class Element>
__global__ void __launch_bounds__(kGroundThreads)
    sample_ground_pixels(const GroundView<Element> view) {
  const int item = static_cast<int>(blockIdx.x * kGroundThreads + threadIdx.x);
  if (item >= view.side * view.side) return;
  const int middle = view.side / 2;
  const float south = static_cast<float>(item / view.side - middle) * view.metres_per_pixel;
  const float east = static_cast<float>(item % view.side - middle) * view.metres_per_pixel;
  const ops::PanoramaPoint point = ops::panorama_point(
      south, east, view.camera_height, view.heading_degrees, view.height, view.width);
  int row = static_cast<int>(point.row);
  if (row > view.height - 2) row = view.height - 2;
  const float below = point.row - static_cast<float>(row);
  const float left_edge = floorf(point.col);
  const float beside = point.col - left_edge;
  const int left = (static_cast<int>(left_edge) + view.width) % view.width;
  const int right = left + 1 < view.width ? left + 1 : 0;
  const std::uint8_t* line = view.panorama + row * view.row_stride;
  const std::uint8_t* next = line + view.row_stride;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    const auto mix = [&](const std::uint8_t* pixels) {
      return static_cast<float>(pixels[3 * left + c]) * (1.0f - beside) +
             static_cast<float>(pixels[3 * right + c]) * beside;
    };
    const float value = mix(line) * (1.0f - below) + mix(next) * below;
    view.y[Index{item} * 3 + c] =
        device::from_float<Element>((value / 255.0f - view.mean[c]) / view.std[c]);
  }
}

/// An image that a camera took, and y [side, side, 3], contiguous.
template <class Element>
struct CameraView {
  ops::PosedCamera camera;
  const std::uint8_t* image;
  Index row_stride;  ///< bytes
  Index height, width;
  bool wraps;
  int side;
  float metres_per_pixel;
  float mean[3], std[3];
  Element* y;
};

template <class Element>
__global__ void __launch_bounds__(kGroundThreads)
    sample_camera_pixels(const CameraView<Element> view) {
  const int item = static_cast<int>(blockIdx.x * kGroundThreads + threadIdx.x);
  if (item >= view.side * view.side) return;
  const int middle = view.side / 2;
  const float south = static_cast<float>(item / view.side - middle) * view.metres_per_pixel;
  const float east = static_cast<float>(item % view.side - middle) * view.metres_per_pixel;
  Element* y = view.y + Index{item} * 3;
  const camera::BasicProjection<float> seen = view.camera.project(south, east);
  if (!seen.inside) {
#pragma unroll
    for (int c = 0; c < 3; ++c) y[c] = device::from_float<Element>(0.0f);
    return;
  }
  const ops::Neighbours n =
      ops::neighbours_of(seen.row, seen.col, view.height, view.width, view.wraps);
  const std::uint8_t* line = view.image + n.row * view.row_stride;
  const std::uint8_t* next = view.image + n.next_row * view.row_stride;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    const auto mix = [&](const std::uint8_t* pixels) {
      return static_cast<float>(pixels[3 * n.left + c]) * (1.0f - n.beside) +
             static_cast<float>(pixels[3 * n.right + c]) * n.beside;
    };
    const float value = mix(line) * (1.0f - n.below) + mix(next) * n.below;
    y[c] = device::from_float<Element>((value / 255.0f - view.mean[c]) / view.std[c]);
  }
}

/// Contiguous x and y [positions, channels], weights [positions].
template <class Element>
struct Standardize {
  const Element* x;
  const float* weights;
  Element* y;
  int positions, channels;
};

template <int kWidth>
inline constexpr std::size_t kStandardizeSharedBytes = kWidth* kWarp * sizeof(float);

/// sums[i] = the weighted sum over positions of term(value, i), in every thread of the block.
template <int kWidth, class Element, class Term>
__device__ __forceinline__ void weighted_sums(const Standardize<Element>& s, int channel,
                                              float (&sums)[kWidth], Term term) {
  auto* scratch = reinterpret_cast<float*>(device::shared_memory());
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sums[i] = 0.0f;
  for (int p = static_cast<int>(threadIdx.x); p < s.positions; p += kStandardizeThreads) {
    const float weight = s.weights[p];
    if (weight == 0.0f) continue;  // a value without weight may be anything, also NaN
    float values[kWidth];
    device::load_vector<kWidth>(s.x + Index{p} * s.channels + channel, values);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) sums[i] = fmaf(weight, term(values[i], i), sums[i]);
  }
  __syncthreads();  // the scratch memory may still be read for the sums before these
#pragma unroll
  for (int i = 0; i < kWidth; ++i) {
    sums[i] = device::across_block(sums[i], scratch + i * kWarp, 0.0f, device::Add{});
  }
}

template <class Element, int kWidth>
__global__ void __launch_bounds__(kStandardizeThreads)
    standardize_channels(const Standardize<Element> s) {
  const int channel = static_cast<int>(blockIdx.x) * kWidth;
  float totals[kWidth];
  float mean[kWidth];
  float rest[kWidth];
  float inverse[kWidth];
  weighted_sums(s, channel, totals, [](float, int) { return 1.0f; });
  const float total = totals[0];
  weighted_sums(s, channel, mean, [](float value, int) { return value; });
#pragma unroll
  for (int i = 0; i < kWidth; ++i) mean[i] /= total;
  weighted_sums(s, channel, rest, [&](float value, int i) { return value - mean[i]; });
#pragma unroll
  for (int i = 0; i < kWidth; ++i) rest[i] /= total;
  weighted_sums(s, channel, inverse, [&](float value, int i) {
    const float difference = value - mean[i] - rest[i];
    return difference * difference;
  });
#pragma unroll
  for (int i = 0; i < kWidth; ++i) {
    inverse[i] = 1.0f / (sqrtf(inverse[i] / total) + ops::kDeviationFloor);
  }
  for (int p = static_cast<int>(threadIdx.x); p < s.positions; p += kStandardizeThreads) {
    const Index at = Index{p} * s.channels + channel;
    float values[kWidth];
    device::load_vector<kWidth>(s.x + at, values);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) values[i] = (values[i] - mean[i] - rest[i]) * inverse[i];
    device::store_vector<kWidth>(s.y + at, values);
  }
}

}  // namespace crossfix::kernels
