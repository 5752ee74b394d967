#pragma once

#include "crossfix/kernels/device/cuda.cuh"

#if !defined(__CUDACC__)
#include "emulator/block.hpp"
#endif

namespace crossfix::device {

#if defined(__CUDACC__)

/// The block's dynamic shared memory, of the size that the launch requested, aligned to 1024 bytes.
__device__ __forceinline__ unsigned char* shared_memory() {
  extern __shared__ __align__(1024) unsigned char dynamic_shared_memory[];
  return dynamic_shared_memory;
}

/// Waits until `threads` threads (a multiple of 32) have arrived at the block's barrier `id`, 0 to
/// 15, where 0 is that of __syncthreads. Orders their shared-memory accesses.
__device__ __forceinline__ void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

#else

inline unsigned char* shared_memory() { return emulator::Block::current().shared().data(); }

inline void named_barrier_sync(int id, int threads) { emulator::named_barrier(id, threads); }

#endif

}  // namespace crossfix::device
