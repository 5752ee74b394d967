#pragma once

/// The parts of the CUDA language that the kernels use, for a C++ compiler. Kernels run on the CPU,
/// one block at a time, by emulator::launch.

#include <math.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "emulator/collectives.hpp"
#include "emulator/fault.hpp"
#include "emulator/language.hpp"
#include "emulator/streams.hpp"

namespace crossfix::emulator {

/// Sets the seed for the order of blocks, of threads and of asynchronous work, for the following
/// launches of this thread.
void set_seed(std::uint64_t seed);

/// Runs `body` to its end, once for each thread of each block. Throws Fault for a mistake of the
/// kernel, or whatever a thread of it throws; `what` is the name of the kernel in messages.
void launch(dim3 blocks, unsigned threads, std::size_t shared_bytes, const char* what,
            const std::function<void()>& body);

}  // namespace crossfix::emulator

inline void __syncthreads() { crossfix::emulator::block_barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { crossfix::emulator::meet_warp(mask); }

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return crossfix::emulator::shuffle("__shfl_sync", mask, value, width,
                                     [&](int, int base) { return base + (lane & (width - 1)); });
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  return crossfix::emulator::shuffle("__shfl_xor_sync", mask, value, width, [&](int own, int base) {
    // A lane of an earlier part may be read; a lane of a later part gives the own value.
    return (own ^ lanes) < base + width ? own ^ lanes : own;
  });
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  return crossfix::emulator::shuffle("__shfl_down_sync", mask, value, width,
                                     [&](int own, int base) {
                                       const int from = own + static_cast<int>(lanes);
                                       return from < base + width ? from : own;
                                     });
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  return crossfix::emulator::shuffle("__shfl_up_sync", mask, value, width, [&](int own, int base) {
    const int from = own - static_cast<int>(lanes);
    return from >= base ? from : own;
  });
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return crossfix::emulator::vote("__ballot_sync", mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) {
  return crossfix::emulator::vote("__any_sync", mask, predicate != 0) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return crossfix::emulator::vote("__all_sync", mask, predicate == 0) == 0 ? 1 : 0;
}

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
