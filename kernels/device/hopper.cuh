#pragma once

#if defined(__CUDACC__)
#include "crossfix/kernels/device/hopper_ptx.cuh"
#else
#include "emulator/hopper.hpp"
#endif
