#pragma once

#if defined(__CUDACC__)
#include "device/hopper_ptx.cuh"
#else
#include "emulator/hopper.hpp"
#endif
