#pragma once

#include <cstdint>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/cuda/image.hpp"
#include "crossfix/kernels/device/vector.cuh"
#include "crossfix/ops/resample.hpp"

/// Resize and normalisation of 8-bit RGB images, in two kernels: along rows into scratch memory,
/// rounded to 8 bits; then along columns, normalised. The integers are those of ops/resample.hpp.
///
/// Neither grid depends on the sizes of the images, which are read from device memory: blocks
/// stride over the rows.
/// - narrow_rows. Tile: 128 pixels of an output row; thread t owns pixel t, three sums in
///   registers. The bytes of a row are read from memory once and shared by adjacent threads through
///   L1. Scratch rows are padded to whole groups.
/// - normalise_columns. Tile: 128 groups of four pixels of an output row; thread t owns a group: 12
///   sums, three aligned words per tap. No shared memory. Bound: bytes, with the image read once (3
///   per pixel), scratch written once and read from L2, y written once; not yet measured.
namespace crossfix::kernels {

inline constexpr int kImageThreads = 128;
inline constexpr int kImageChannels = 3;
/// Pixels of a thread in `normalise_columns`: 12 bytes, three words.
inline constexpr int kImageGroup = 4;
inline constexpr int kImageWords = kImageGroup * kImageChannels / 4;

/// Bytes between the starts of scratch rows: whole groups, each aligned to a word.
CROSSFIX_HOST_DEVICE constexpr Index image_scratch_stride(Index width) {
  return ceil_div<Index>(width, kImageGroup) * kImageWords * 4;
}

/// Images [batch] to scratch [source height, out_width, 3].
__global__ void __launch_bounds__(kImageThreads)
    narrow_rows(const cuda::ImageSource* sources, int out_width) {
  const cuda::ImageSource source = sources[blockIdx.z];
  const int column = static_cast<int>(blockIdx.x * kImageThreads + threadIdx.x);
  if (column >= out_width) return;
  const int first = source.columns.first[column];
  const int count = source.columns.count[column];
  const std::int32_t* weights =
      source.columns.weights + static_cast<Index>(column) * source.columns.taps;
  const Index stride = image_scratch_stride(out_width);
  for (int row = static_cast<int>(blockIdx.y); row < source.height;
       row += static_cast<int>(gridDim.y)) {
    const std::uint8_t* pixel =
        source.pixels + row * source.row_stride + static_cast<Index>(first) * kImageChannels;
    std::int32_t sums[kImageChannels] = {ops::kResampleHalf, ops::kResampleHalf,
                                         ops::kResampleHalf};
    for (int t = 0; t < count; ++t, pixel += kImageChannels) {
      const std::int32_t weight = weights[t];
#pragma unroll
      for (int c = 0; c < kImageChannels; ++c) sums[c] += weight * pixel[c];
    }
    std::uint8_t* out = source.scratch + row * stride + static_cast<Index>(column) * kImageChannels;
#pragma unroll
    for (int c = 0; c < kImageChannels; ++c) {
      out[c] = ops::resampled(sums[c]);
    }
  }
}

/// Mean and standard deviation of each channel, of values in [0, 1].
struct ImageNorm {
  float mean[kImageChannels];
  float std[kImageChannels];
};

/// Scratch to y [batch, out_height, out_width, kOutChannels].
template <class Element, int kOutChannels>
__global__ void __launch_bounds__(kImageThreads)
    normalise_columns(const cuda::ImageSource* sources, const ImageNorm norm, Element* y,
                      int out_height, int out_width) {
  const cuda::ImageSource source = sources[blockIdx.z];
  const int column = static_cast<int>(blockIdx.x * kImageThreads + threadIdx.x) * kImageGroup;
  if (column >= out_width) return;
  const Index stride = image_scratch_stride(out_width);
  const std::uint8_t* group = source.scratch + static_cast<Index>(column) * kImageChannels;
  for (int row = static_cast<int>(blockIdx.y); row < out_height;
       row += static_cast<int>(gridDim.y)) {
    const int count = source.rows.count[row];
    const std::int32_t* weights = source.rows.weights + static_cast<Index>(row) * source.rows.taps;
    const std::uint8_t* line = group + source.rows.first[row] * stride;
    std::int32_t sums[4 * kImageWords];
#pragma unroll
    for (int i = 0; i < 4 * kImageWords; ++i) sums[i] = ops::kResampleHalf;
    for (int t = 0; t < count; ++t, line += stride) {
      const std::int32_t weight = weights[t];
#pragma unroll
      for (int w = 0; w < kImageWords; ++w) {
        const std::uint32_t word = reinterpret_cast<const std::uint32_t*>(line)[w];
#pragma unroll
        for (int b = 0; b < 4; ++b) {
          sums[4 * w + b] += weight * static_cast<std::int32_t>(word >> (8 * b) & 0xffu);
        }
      }
    }
    Element* out = y + ((static_cast<Index>(blockIdx.z) * out_height + row) * out_width + column) *
                           kOutChannels;
#pragma unroll
    for (int p = 0; p < kImageGroup; ++p) {
      if (column + p >= out_width) break;
      float pixel[kOutChannels] = {};
#pragma unroll
      for (int c = 0; c < kImageChannels; ++c) {
        const auto sample = static_cast<float>(ops::resampled(sums[p * kImageChannels + c]));
        pixel[c] = (sample / 255.0f - norm.mean[c]) / norm.std[c];
      }
      if constexpr (kOutChannels == kImageChannels) {
#pragma unroll
        for (int c = 0; c < kOutChannels; ++c) {
          out[p * kOutChannels + c] = device::from_float<Element>(pixel[c]);
        }
      } else {
        device::store_vector<kOutChannels>(out + p * kOutChannels, pixel);
      }
    }
  }
}

}  // namespace crossfix::kernels
