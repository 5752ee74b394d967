#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "crossfix/kernels/device/hopper.cuh"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "emulator/fault_of.hpp"

namespace crossfix::emulator {

template <class E>
std::vector<E> random_elements(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<E> elements;
  for (std::size_t i = 0; i < count; ++i) elements.push_back(E(uniform(generator)));
  return elements;
}

/// A matrix descriptor (PTX ISA); offsets in bytes.
inline std::uint64_t descriptor(const void* start, std::size_t leading, std::size_t stride,
                                device::Swizzle swizzle) {
  const std::uint64_t mode = swizzle == device::Swizzle::b128  ? 1
                             : swizzle == device::Swizzle::b64 ? 2
                             : swizzle == device::Swizzle::b32 ? 3
                                                               : 0;
  return static_cast<std::uint64_t>(device::shared_address(start) >> 4) |
         static_cast<std::uint64_t>(leading >> 4) << 16 |
         static_cast<std::uint64_t>(stride >> 4) << 32 | mode << 62;
}

/// A matrix [rows, columns] as a tensor for the copy engine. Its boxes have `box_rows` rows and the
/// number of columns that fills the span of the swizzle.
template <class E>
device::TensorMap matrix_map(const std::vector<E>& matrix, Index columns, int box_rows,
                             device::Swizzle swizzle) {
  const Index rows = static_cast<Index>(matrix.size()) / columns;
  const Index all = static_cast<Index>(matrix.size());
  return device::make_tensor_map({.base = matrix.data(),
                                  .dtype = dtype_of<E>,
                                  .extents = {columns, rows, 1, 1},
                                  .strides = {1, columns, all, all},
                                  .box = {static_cast<int>(swizzle) / 2, box_rows, 1, 1},
                                  .swizzle = swizzle});
}

/// The barrier at the start of shared memory, initialised for `arrivals` and visible to all.
inline device::Barrier& first_barrier(int arrivals) {
  auto& barrier = *reinterpret_cast<device::Barrier*>(device::shared_memory());
  if (threadIdx.x == 0) {
    device::barrier_init(barrier, arrivals);
    device::fence_barrier_init();
  }
  __syncthreads();
  return barrier;
}

}  // namespace crossfix::emulator
