#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "crossfix/core/error.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/device/cuda.cuh"

namespace crossfix::device {

/// Shared memory, in bytes, that every kernel may use without a request.
inline constexpr std::size_t kUnaskedSharedBytes = 48 * 1024;

/// Blocks, threads of each, and dynamic shared memory of each.
struct LaunchShape {
  dim3 blocks;
  unsigned threads = 0;
  std::size_t shared_bytes = 0;
};

#if defined(__CUDACC__)

/// Throws DeviceError "WHAT: ..." unless `status` is success.
inline void expect_success(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw DeviceError(std::string(what) + ": " + cudaGetErrorString(status));
}

/// Enqueues a kernel on the stream without waiting, so that an error during its execution is
/// reported by a later call. Throws DeviceError if the launch itself fails.
template <class... Parameters>
void launch(cuda::StreamView stream, const LaunchShape& shape, const char* what,
            void (*kernel)(Parameters...), std::type_identity_t<Parameters>... arguments) {
  if (shape.shared_bytes > kUnaskedSharedBytes) {
    expect_success(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                        cudaFuncAttributeMaxDynamicSharedMemorySize,
                                        static_cast<int>(shape.shared_bytes)),
                   what);
  }
  cudaLaunchConfig_t configuration = {};
  configuration.gridDim = shape.blocks;
  configuration.blockDim = dim3(shape.threads);
  configuration.dynamicSmemBytes = shape.shared_bytes;
  configuration.stream = stream.get();
  expect_success(cudaLaunchKernelEx(&configuration, kernel, arguments...), what);
}

#else

/// Enqueues a kernel that runs on the CPU, in the order of the stream.
template <class... Parameters>
void launch(cuda::StreamView stream, const LaunchShape& shape, const char* what,
            void (*kernel)(Parameters...), std::type_identity_t<Parameters>... arguments) {
  emulator::submit(stream.get(), [=] {
    emulator::launch(shape.blocks, shape.threads, shape.shared_bytes, what,
                     [&] { kernel(arguments...); });
  });
}

#endif

}  // namespace crossfix::device
