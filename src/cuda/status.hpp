#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <string>

#include "crossfix/core/error.hpp"

namespace crossfix::cuda {

/// Throws DeviceError "WHAT: the library's error text" unless `status` is success. A status that
/// the CUDA runtime stores is cleared, so that it is not reported by the next call.
inline void check(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  throw DeviceError(what + ": " + cudaGetErrorString(status));
}
inline void check(cublasStatus_t status, const std::string& what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError("cuBLASLt: " + what + ": " + cublasLtGetStatusString(status));
}
inline void check(cudnnStatus_t status, const std::string& what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw DeviceError("cuDNN: " + what + ": " + cudnnGetErrorString(status));
}

}  // namespace crossfix::cuda
