#pragma once

#include "crossfix/kernels/device/scalar.cuh"
#include "crossfix/ops/online_softmax.hpp"

namespace crossfix::device {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

/// The value of the lane whose index differs in the bits of `distance`. Types of several words have
/// their own overload.
__device__ __forceinline__ float exchange(float value, int distance) {
  return __shfl_xor_sync(kAllLanes, value, distance);
}
__device__ __forceinline__ double exchange(double value, int distance) {
  return __shfl_xor_sync(kAllLanes, value, distance);
}
template <class Math>
__device__ __forceinline__ ops::OnlineSoftmax<Math> exchange(const ops::OnlineSoftmax<Math>& state,
                                                             int distance) {
  ops::OnlineSoftmax<Math> other;
  other.maximum = exchange(state.maximum, distance);
  other.sum = exchange(state.sum, distance);
  return other;
}

struct Add {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};

/// The largest; ignores NaN, as fmaxf does.
struct Maximum {
  __device__ __forceinline__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

struct Merge {
  template <class State>
  __device__ __forceinline__ State operator()(State a, const State& b) const {
    a.merge(b);
    return a;
  }
};

/// `value` combined over each group of `lanes` adjacent lanes (a power of two), returned in every
/// lane of the group. All lanes of the warp must call it.
template <class T, class Combine>
__device__ __forceinline__ T across_lanes(T value, int lanes, Combine combine) {
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    value = combine(value, exchange(value, distance));
  }
  return value;
}

/// `value` combined over the block, returned in every thread; `neutral` is the neutral element.
/// `scratch` is shared memory for one T per warp and may be reused after the next barrier. All
/// threads of the block must call it; the block's size is a multiple of a warp.
template <class T, class Combine>
__device__ __forceinline__ T across_block(T value, T* scratch, T neutral, Combine combine) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  value = across_lanes(value, kWarp, combine);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  value = neutral;
  if (lane < warps) value = scratch[lane];
  return across_lanes(value, kWarp, combine);
}

}  // namespace crossfix::device
