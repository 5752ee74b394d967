#pragma once

#include "device/cuda.cuh"

namespace crossfix::kernels {

inline constexpr unsigned kFullWarp = 0xffffffffu;

/// The largest of the values that kLanes neighbouring lanes hold, in each of them. NaN is passed
/// over, as fmaxf does. All lanes of the warp call it.
template <int kLanes>
__device__ __forceinline__ float maximum_of_lanes(float value) {
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kFullWarp, value, distance));
  }
  return value;
}

/// The sum of the values that kLanes neighbouring lanes hold, the same in each of them.
template <int kLanes>
__device__ __forceinline__ float sum_of_lanes(float value) {
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kFullWarp, value, distance);
  }
  return value;
}

}  // namespace crossfix::kernels
