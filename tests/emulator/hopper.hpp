#pragma once

/// Hopper's own instructions for a C++ compiler. The comments of device/hopper_ptx.cuh on each hold
/// here too. Included by device/hopper.cuh.

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/device/tensor_map.cuh"
#include "emulator/arrivals.hpp"
#include "emulator/descriptor.hpp"
#include "emulator/products.hpp"
#include "emulator/registers.hpp"
#include "emulator/tensor_copies.hpp"

namespace crossfix::device {

inline std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(emulator::kFirstSharedAddress +
                                    emulator::Block::current().shared().offset_of(pointer));
}

struct Barrier {
  std::uint64_t state;
};

inline emulator::Arrivals& arrivals() {
  return emulator::Block::current().part<emulator::Arrivals>();
}
inline void barrier_init(Barrier& barrier, int count) { arrivals().init(barrier.state, count); }
inline void fence_barrier_init() { arrivals().fence_init(); }
inline void barrier_arrive(Barrier& barrier) { arrivals().arrive(barrier.state, 0); }
inline void barrier_arrive_expect(Barrier& barrier, std::uint32_t bytes) {
  arrivals().arrive(barrier.state, bytes);
}
inline void barrier_wait(Barrier& barrier, std::uint32_t parity) {
  arrivals().wait(barrier.state, parity);
}

inline void tensor_load_4d(void* shared, const TensorMap& map, Barrier& barrier, int c0, int c1,
                           int c2, int c3) {
  emulator::Block::current().part<emulator::TensorCopies>().load(shared, map.description,
                                                                 barrier.state, {c0, c1, c2, c3});
}
inline void prefetch(const TensorMap&) {}

inline void fence_proxy_async() { emulator::Block::current().shared().publish(); }

template <int kRegisters>
void register_limit_decrease() {
  emulator::Block::current().part<emulator::Registers>().lower(kRegisters);
}
template <int kRegisters>
void register_limit_increase() {
  emulator::Block::current().part<emulator::Registers>().increase(kRegisters);
}

inline emulator::Products& products() {
  return emulator::Block::current().part<emulator::Products>();
}
inline void warpgroup_fence() { products().fence(); }
inline void warpgroup_commit() { products().commit(); }
template <int kPending>
void warpgroup_wait() {
  products().wait(kPending);
}

/// Does nothing: a C++ compiler knows already that a product may use the arrays, from their
/// addresses.
template <int kCount>
void hold(float (&)[kCount]) {}
template <int kCount>
void hold(std::uint32_t (&)[kCount]) {}

template <class E>
requires(std::same_as<E, bfloat16> ||
         std::same_as<E, float16>) float element_from_bits(std::uint16_t bits) {
  E element;
  element.bits = bits;
  return static_cast<float>(element);
}

template <class E, int kN>
void warpgroup_mma(float (&d)[kN / 2], std::uint64_t descriptor_a, std::uint64_t descriptor_b,
                   bool accumulate) {
  static_assert(kN == 64 || kN == 128 || kN == 256);
  products().issue({d, nullptr, descriptor_a, descriptor_b, accumulate, kN, &element_from_bits<E>});
}
template <class E, int kN>
void warpgroup_mma(float (&d)[kN / 2], const std::uint32_t (&a)[4], std::uint64_t descriptor_b,
                   bool accumulate) {
  static_assert(kN == 32 || kN == 64 || kN == 128);
  products().issue({d, a, 0, descriptor_b, accumulate, kN, &element_from_bits<E>});
}

}  // namespace crossfix::device
