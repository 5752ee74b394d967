#pragma once

/// The CUDA language, as the kernels use it: the compiler's own under nvcc; under a C++ compiler
/// the stand-in that runs kernels on the CPU for the tests.

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#elif __has_include("emulator/cuda.hpp")
#include "emulator/cuda.hpp"
#else
#error "device code is for nvcc; the C++ compiler takes it beside crossfix's tests/emulator alone"
#endif

/// 1 where Hopper's own instructions exist: wgmma and setmaxnreg are in sm_90a alone.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define CROSSFIX_DEVICE_SM90A 1
#else
#define CROSSFIX_DEVICE_SM90A 0
#endif
