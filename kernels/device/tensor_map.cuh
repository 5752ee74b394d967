#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/cuda.cuh"

namespace crossfix::device {

/// The layout of a copied box in shared memory: 16-byte chunks are permuted within rows of this
/// many bytes, so that a column of chunks covers all banks. The values are the span in bytes.
enum class Swizzle { none = 16, b32 = 32, b64 = 64, b128 = 128 };

/// The description of a tensor map. Axes are innermost first.
struct TensorMapDescription {
  const void* base = nullptr;
  Dtype dtype = Dtype::bf16;
  std::array<Index, 4> extents{};
  std::array<Index, 4> strides{};  ///< elements; the innermost is 1
  std::array<int, 4> box{};        ///< elements of a copy
  Swizzle swizzle = Swizzle::none;
};

/// Throws ShapeError unless the copy engine supports such a tensor (PTX ISA, "tensor"; CUDA driver
/// API, cuTensorMapEncodeTiled).
inline void check_tensor_map(const TensorMapDescription& map) {
  constexpr Index kAlignment = 16;                  // bytes, of the base and of every outer stride
  constexpr Index kLargestStride = Index{1} << 40;  // bytes
  constexpr Index kLargestExtent = Index{1} << 32;
  constexpr int kLargestBox = 256;
  const auto bytes = static_cast<Index>(size_of(map.dtype));
  if (reinterpret_cast<std::uintptr_t>(map.base) % kAlignment != 0) {
    throw ShapeError("a tensor for the copy engine must start on a 16-byte boundary");
  }
  for (std::size_t axis = 0; axis < 4; ++axis) {
    if (map.extents[axis] < 1 || map.extents[axis] > kLargestExtent) {
      throw ShapeError("extent " + std::to_string(map.extents[axis]) +
                       " of a tensor for the copy engine; expected 1 to 2^32");
    }
    if (map.box[axis] < 1 || map.box[axis] > kLargestBox) {
      throw ShapeError("a copy of " + std::to_string(map.box[axis]) +
                       " elements along an axis; expected 1 to 256");
    }
    if (axis == 0) continue;
    const Index stride = map.strides[axis] * bytes;
    if (stride <= 0 || stride % kAlignment != 0 || stride >= kLargestStride) {
      throw ShapeError("a stride of " + std::to_string(stride) +
                       " bytes in a tensor for the copy engine; expected a positive multiple of 16 "
                       "below 2^40");
    }
  }
  const Index row = map.box[0] * bytes;
  if (map.strides[0] != 1 || row % kAlignment != 0 ||
      (map.swizzle != Swizzle::none && row > static_cast<Index>(map.swizzle))) {
    throw ShapeError(
        "a copy of rows of " + std::to_string(row) +
        " bytes; expected a multiple of 16, neighbours, and at most the swizzle's span");
  }
}

}  // namespace crossfix::device

/// Each of the two headers below defines `TensorMap`, passed to kernels by value as a
/// __grid_constant__, and `TensorMap make_tensor_map(const TensorMapDescription&)`, which throws
/// ShapeError as above, and DeviceError if the driver does not support tensor maps.
#if defined(__CUDACC__)
#include "crossfix/kernels/device/tensor_map_cuda.cuh"
#else
#include "emulator/tensor_map.hpp"
#endif
