/// Code that follows rays runs on the CPU and, compiled by nvcc, on a GPU. It is the code declared
/// with CROSSFIX_RAY_CODE, and the code that is constexpr.
#pragma once

#if defined(__CUDACC__)
#define CROSSFIX_RAY_CODE __host__ __device__ inline
#else
#define CROSSFIX_RAY_CODE inline
#endif
