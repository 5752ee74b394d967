#pragma once

/// The CUDA language, as the kernels use it: the compiler's own under nvcc; under a C++ compiler the
/// stand-in that runs kernels on the CPU for the tests.

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "emulator/cuda.hpp"
#endif
