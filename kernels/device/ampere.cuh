#pragma once

#include <concepts>
#include <cstdint>

#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/device/cuda.cuh"

#if !defined(__CUDACC__)
#include "emulator/ampere.hpp"
#endif

/// Matrix products of one warp, and asynchronous copies to shared memory: compute capability 8.0
/// and newer. Names and register layouts are those of NVIDIA's PTX ISA 9.0.
///
/// Registers of an operand, for lane = 4 g + t of the warp: A [16, 16] holds in a[0] row g, columns
/// 2 t and 2 t + 1; in a[1] row g + 8; in a[2] and a[3] the same, 8 columns further. B [16, 8]
/// holds in b0 rows 2 t and 2 t + 1 of column g, in b1 the same, 8 rows further. D [16, 8] holds in
/// d[0], d[1] row g, columns 2 t and 2 t + 1, in d[2], d[3] row g + 8.
namespace crossfix::device {

#if defined(__CUDACC__)

/// Starts the copy of 16 bytes. If not `valid`, writes zeros and reads nothing. Both addresses are
/// multiples of 16. The copy is visible to its thread after copy_async_wait, and to other threads
/// after a further barrier.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                   static_cast<std::uint32_t>(__cvta_generic_to_shared(shared))),
               "l"(global), "r"(valid ? 16 : 0)
               : "memory");
}

/// Groups the thread's copies since the last group.
__device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

/// Waits until at most the last `kPending` groups of the thread are pending.
template <int kPending>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

/// Loads four matrices of 8 x 8 elements of 2 bytes. Lane 8 i + j passes the address of row j of
/// matrix i, a multiple of 16. It receives in r[i], of matrix i, row lane / 4, columns 2 (lane % 4)
/// and the next one.
__device__ __forceinline__ void load_matrix_x4(std::uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(shared_row)))
               : "memory");
}

/// The same for the transposes of the matrices.
__device__ __forceinline__ void load_matrix_x4_transposed(std::uint32_t (&r)[4],
                                                          const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(shared_row)))
               : "memory");
}

/// d [16, 8] += a [16, 16] b [16, 8], summed in float.
template <class E>
requires(std::same_as<E, bfloat16> || std::same_as<E, float16>) __device__ __forceinline__
    void mma_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                     std::uint32_t b1) {
  if constexpr (std::same_as<E, bfloat16>) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

#else

inline void copy_async_16(void* shared, const void* global, bool valid) {
  emulator::start_copy_16(shared, global, valid);
}
inline void copy_async_commit() { emulator::commit_copies(); }
template <int kPending>
void copy_async_wait() {
  emulator::wait_for_copies(kPending);
}
inline void load_matrix_x4(std::uint32_t (&r)[4], const void* shared_row) {
  emulator::load_matrices(r, shared_row, false);
}
inline void load_matrix_x4_transposed(std::uint32_t (&r)[4], const void* shared_row) {
  emulator::load_matrices(r, shared_row, true);
}
template <class E>
requires(std::same_as<E, bfloat16> ||
         std::same_as<E, float16>) void mma_16x8x16(float (&d)[4], const std::uint32_t (&a)[4],
                                                    std::uint32_t b0, std::uint32_t b1) {
  emulator::multiply_16x8x16<E>(d, a, b0, b1);
}

#endif

}  // namespace crossfix::device
