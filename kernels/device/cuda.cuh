#pragma once

/// The CUDA language as the kernels use it: the compiler's own under nvcc; under a C++ compiler,
/// the emulator that runs kernels on the CPU for the tests.

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#elif __has_include("emulator/cuda.hpp")
#include "emulator/cuda.hpp"
#else
#error "device code is for nvcc; the C++ compiler takes it beside crossfix's tests/emulator alone"
#endif

/// 1 if instructions specific to Hopper exist: wgmma and setmaxnreg are only in sm_90a.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define CROSSFIX_DEVICE_SM90A 1
#else
#define CROSSFIX_DEVICE_SM90A 0
#endif
