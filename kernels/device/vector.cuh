#pragma once

#include <concepts>
#include <cstdint>

#include "crossfix/kernels/device/scalar.cuh"

namespace crossfix::device {

/// Bytes of the widest load and store of a thread.
inline constexpr int kVectorBytes = 16;

/// Elements of the widest load and store of a thread.
template <class Element>
inline constexpr int kVectorElements = kVectorBytes / static_cast<int>(sizeof(Element));

/// Loads `kWidth` (1, 4 or 8) adjacent elements as floats. If there is more than one, `from` is a
/// multiple of their size or of 16 bytes, whichever is less.
template <int kWidth, class Element>
__device__ __forceinline__ void load_vector(const Element* from, float (&to)[kWidth]) {
  static_assert(kWidth == 1 || kWidth == 4 || kWidth == 8);
  if constexpr (kWidth == 1) {
    to[0] = to_float(*from);
  } else if constexpr (std::same_as<Element, float>) {
#pragma unroll
    for (int i = 0; i < kWidth; i += 4) {
      const float4 v = *reinterpret_cast<const float4*>(from + i);
      to[i] = v.x;
      to[i + 1] = v.y;
      to[i + 2] = v.z;
      to[i + 3] = v.w;
    }
  } else {
    std::uint32_t words[kWidth / 2];
    if constexpr (kWidth == 4) {
      const uint2 v = *reinterpret_cast<const uint2*>(from);
      words[0] = v.x;
      words[1] = v.y;
    } else {
      const uint4 v = *reinterpret_cast<const uint4*>(from);
      words[0] = v.x;
      words[1] = v.y;
      words[2] = v.z;
      words[3] = v.w;
    }
#pragma unroll
    for (int i = 0; i < kWidth / 2; ++i) {
      const float2 pair = unpack2<Element>(words[i]);
      to[2 * i] = pair.x;
      to[2 * i + 1] = pair.y;
    }
  }
}

/// Stores floats, rounded, to `kWidth` (1, 4 or 8) adjacent elements; alignment as for load_vector.
template <int kWidth, class Element>
__device__ __forceinline__ void store_vector(Element* to, const float (&from)[kWidth]) {
  static_assert(kWidth == 1 || kWidth == 4 || kWidth == 8);
  if constexpr (kWidth == 1) {
    *to = from_float<Element>(from[0]);
  } else if constexpr (std::same_as<Element, float>) {
#pragma unroll
    for (int i = 0; i < kWidth; i += 4) {
      *reinterpret_cast<float4*>(to + i) =
          make_float4(from[i], from[i + 1], from[i + 2], from[i + 3]);
    }
  } else {
    std::uint32_t words[kWidth / 2];
#pragma unroll
    for (int i = 0; i < kWidth / 2; ++i) {
      words[i] = pack2<Element>(from[2 * i], from[2 * i + 1]);
    }
    if constexpr (kWidth == 4) {
      *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
    } else {
      *reinterpret_cast<uint4*>(to) = make_uint4(words[0], words[1], words[2], words[3]);
    }
  }
}

/// load_vector of the first `count` elements, with `fill` for the others; reads no others.
template <int kWidth, class Element>
__device__ __forceinline__ void load_part(const Element* from, int count, float fill,
                                          float (&to)[kWidth]) {
  if (count >= kWidth) return load_vector(from, to);
#pragma unroll
  for (int i = 0; i < kWidth; ++i) to[i] = i < count ? to_float(from[i]) : fill;
}

/// store_vector of the first `count` elements; writes no others.
template <int kWidth, class Element>
__device__ __forceinline__ void store_part(Element* to, int count, const float (&from)[kWidth]) {
  if (count >= kWidth) return store_vector(to, from);
#pragma unroll
  for (int i = 0; i < kWidth; ++i) {
    if (i < count) to[i] = from_float<Element>(from[i]);
  }
}

}  // namespace crossfix::device
