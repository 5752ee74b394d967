#pragma once

#include <cuda.h>
#include <cudaTypedefs.h>

#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::device {

using TensorMap = CUtensorMap;

/// The driver's encoder, obtained from the run-time library so that nothing links to the driver
/// itself.
inline PFN_cuTensorMapEncodeTiled_v12000 tensor_map_encoder() {
  constexpr unsigned kSince = 12000;  // the driver version that introduced it
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  expect_success(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, kSince,
                                                  cudaEnableDefault, &found),
                 "looking for the driver's tensor maps");
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    throw DeviceError("the NVIDIA driver knows no tensor maps; version 525 or newer has them");
  }
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

inline TensorMap make_tensor_map(const TensorMapDescription& description) {
  check_tensor_map(description);
  const auto type = [&] {
    switch (description.dtype) {
      case Dtype::bf16:
        return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
      case Dtype::f16:
        return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
      case Dtype::f32:
        return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
      default:
        throw ShapeError("a tensor of " + std::string(name_of(description.dtype)) +
                         " for the copy engine; expected f32, f16 or bf16");
    }
  }();
  const auto swizzle = [&] {
    switch (description.swizzle) {
      case Swizzle::b32:
        return CU_TENSOR_MAP_SWIZZLE_32B;
      case Swizzle::b64:
        return CU_TENSOR_MAP_SWIZZLE_64B;
      case Swizzle::b128:
        return CU_TENSOR_MAP_SWIZZLE_128B;
      default:
        return CU_TENSOR_MAP_SWIZZLE_NONE;
    }
  }();
  cuuint64_t extents[4];
  cuuint64_t strides[3];  // bytes, of all axes except the innermost
  cuuint32_t box[4];
  const cuuint32_t steps[4] = {1, 1, 1, 1};
  for (int axis = 0; axis < 4; ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    extents[axis] = static_cast<cuuint64_t>(description.extents[at]);
    box[axis] = static_cast<cuuint32_t>(description.box[at]);
    if (axis > 0) {
      strides[axis - 1] =
          static_cast<cuuint64_t>(description.strides[at]) * size_of(description.dtype);
    }
  }
  TensorMap map;
  const CUresult status =
      tensor_map_encoder()(&map, type, 4, const_cast<void*>(description.base), extents, strides,
                           box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS) {
    throw DeviceError("the NVIDIA driver refused a tensor map, error " +
                      std::to_string(static_cast<int>(status)));
  }
  return map;
}

}  // namespace crossfix::device
