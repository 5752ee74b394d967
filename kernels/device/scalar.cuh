#pragma once

#include <concepts>
#include <cstdint>

#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/device/cuda.cuh"

namespace crossfix::device {

/// 2^x to about 2 ulp. Subnormal arguments and results are treated as zero; -inf gives 0, NaN gives
/// NaN.
__device__ __forceinline__ float exp2_approx(float x) {
#if defined(__CUDACC__)
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  const float y = exp2f(x);
  return y < 0x1p-126f ? 0.0f : y;
#endif
}

/// log2(x) to 2^-22, absolute for x in (0.5, 2) and relative elsewhere; -inf for 0 and subnormal x,
/// NaN for NaN.
__device__ __forceinline__ float log2_approx(float x) {
#if defined(__CUDACC__)
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return x < 0x1p-126f ? -__builtin_inff() : log2f(x);
#endif
}

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bfloat16 x) {
  return __uint_as_float(static_cast<std::uint32_t>(x.bits) << 16);
}
__device__ __forceinline__ float to_float(float16 x) {
#if defined(__CUDACC__)
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#else
  return static_cast<float>(x);
#endif
}

/// Two elements in a word, `low` in its lower half, each rounded to nearest, ties to even.
template <class E>
requires(std::same_as<E, bfloat16> ||
         std::same_as<E, float16>) __device__ __forceinline__ std::uint32_t
    pack2(float low, float high) {
#if defined(__CUDACC__)
  std::uint32_t word;
  if constexpr (std::same_as<E, bfloat16>) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  }
  return word;
#else
  return static_cast<std::uint32_t>(E(low).bits) | static_cast<std::uint32_t>(E(high).bits) << 16;
#endif
}

/// The element nearest to x, ties to even. Not for use on the host.
template <class E>
__device__ __forceinline__ E from_float(float x) {
  if constexpr (std::same_as<E, float>) {
    return x;
  } else {
    E element;
#if defined(__CUDACC__)
    if constexpr (std::same_as<E, bfloat16>) {
      asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(element.bits) : "f"(x));
    } else {
      asm("cvt.rn.f16.f32 %0, %1;" : "=h"(element.bits) : "f"(x));
    }
#else
    element = E(x);
#endif
    return element;
  }
}

/// The inverse of pack2: the elements of a word, with the lower half as x.
template <class E>
__device__ __forceinline__ float2 unpack2(std::uint32_t word) {
  E low;
  E high;
  low.bits = static_cast<std::uint16_t>(word & 0xffffu);
  high.bits = static_cast<std::uint16_t>(word >> 16);
  return make_float2(to_float(low), to_float(high));
}

/// The arithmetic of ops::OnlineSoftmax on the device. `maximum` ignores NaN (as fmaxf does);
/// `exp2` propagates it, so that it reaches the sum.
struct SoftmaxMath {
  using Real = float;
  CROSSFIX_HOST_DEVICE static float set(float x) { return x; }
  CROSSFIX_HOST_DEVICE static float maximum(float a, float b) { return fmaxf(a, b); }
  CROSSFIX_HOST_DEVICE static float add(float a, float b) { return a + b; }
  CROSSFIX_HOST_DEVICE static float subtract(float a, float b) { return a - b; }
  CROSSFIX_HOST_DEVICE static float multiply(float a, float b) { return a * b; }
  CROSSFIX_HOST_DEVICE static float exp2(float x) {
#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)
    return exp2f(x);
#else
    return exp2_approx(x);
#endif
  }
  CROSSFIX_HOST_DEVICE static float log2(float x) {
#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)
    return log2f(x);
#else
    return log2_approx(x);
#endif
  }
};

}  // namespace crossfix::device
