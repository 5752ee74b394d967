#pragma once

#include <cstdint>

#include "crossfix/core/dtype.hpp"
#include "crossfix/kernels/device/cuda.cuh"
#include "crossfix/kernels/device/tensor_map.cuh"

/// Instructions specific to Hopper: transaction barriers, tensor copies, warpgroup matrix products.
/// Names and operand orders are those of NVIDIA's PTX ISA 9.0; each wrapper is one instruction. On
/// other architectures they compile to nothing, inside kernels that are never launched there.
namespace crossfix::device {

#if CROSSFIX_DEVICE_SM90A
#define CROSSFIX_SM90A_ASM(...) asm volatile(__VA_ARGS__)
#else
#define CROSSFIX_SM90A_ASM(...) ((void)0)
#endif

/// An address in shared memory, in the form that instructions expect.
__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// A barrier in shared memory that counts arrivals and bytes. The parity of its phases alternates,
/// starting with 0.
struct Barrier {
  std::uint64_t state;
};

__device__ __forceinline__ void barrier_init(Barrier& barrier, int arrivals) {
  CROSSFIX_SM90A_ASM("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)),
                     "r"(arrivals)
                     : "memory");
}

/// Makes initialised barriers visible to the copy engine.
__device__ __forceinline__ void fence_barrier_init() {
  CROSSFIX_SM90A_ASM("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ __forceinline__ void barrier_arrive(Barrier& barrier) {
  CROSSFIX_SM90A_ASM("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier))
                     : "memory");
}

/// Arrives, and makes the phase also wait for `bytes` of copies.
__device__ __forceinline__ void barrier_arrive_expect(Barrier& barrier, std::uint32_t bytes) {
  CROSSFIX_SM90A_ASM(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)),
      "r"(bytes)
      : "memory");
}

/// Waits for the end of the phase with this parity.
__device__ __forceinline__ void barrier_wait(Barrier& barrier, std::uint32_t parity) {
#if CROSSFIX_DEVICE_SM90A
  std::uint32_t done = 0;
  while (done == 0) {
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.b32 %0, 1, 0, p;\n"
        "}"
        : "=r"(done)
        : "r"(shared_address(&barrier)), "r"(parity)
        : "memory");
  }
#endif
}

/// Copies a box of `map` at (c0, c1, c2, c3), innermost first, to shared memory. Its bytes are
/// counted by `barrier`. Called by one thread.
__device__ __forceinline__ void tensor_load_4d(void* shared, const TensorMap& map, Barrier& barrier,
                                               int c0, int c1, int c2, int c3) {
  CROSSFIX_SM90A_ASM(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, "
      "{%2, %3, %4, %5}], [%6];" ::"r"(shared_address(shared)),
      "l"(&map), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(shared_address(&barrier))
      : "memory");
}

__device__ __forceinline__ void prefetch(const TensorMap& map) {
  CROSSFIX_SM90A_ASM("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

/// Makes this thread's stores to shared memory visible to copies and matrix products that follow a
/// barrier.
__device__ __forceinline__ void fence_proxy_async() {
  CROSSFIX_SM90A_ASM("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Return registers to the pool, or request more, for all warps of a warpgroup.
template <int kRegisters>
__device__ __forceinline__ void register_limit_decrease() {
  CROSSFIX_SM90A_ASM("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void register_limit_increase() {
  CROSSFIX_SM90A_ASM("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

/// Orders earlier accesses to accumulators and operands in registers before the following products.
__device__ __forceinline__ void warpgroup_fence() {
  CROSSFIX_SM90A_ASM("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void warpgroup_commit() {
  CROSSFIX_SM90A_ASM("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most `kPending` groups of products are pending.
template <int kPending>
__device__ __forceinline__ void warpgroup_wait() {
  CROSSFIX_SM90A_ASM("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/// Prevents the compiler from moving accesses to these registers across this point: asynchronous
/// products read and write them without its knowledge.
template <int kCount>
__device__ __forceinline__ void hold(float (&registers)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(registers[i])::"memory");
}
template <int kCount>
__device__ __forceinline__ void hold(std::uint32_t (&registers)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+r"(registers[i])::"memory");
}

// Operand lists of wgmma: eight accumulators per line, in the instruction's text and in its
// constraints.
#define CROSSFIX_D8(a, b, c, d, e, f, g, h) \
  "%" #a ", %" #b ", %" #c ", %" #d ", %" #e ", %" #f ", %" #g ", %" #h
#define CROSSFIX_D16_TEXT \
  CROSSFIX_D8(0, 1, 2, 3, 4, 5, 6, 7) ", " CROSSFIX_D8(8, 9, 10, 11, 12, 13, 14, 15)
#define CROSSFIX_D32_TEXT                                                              \
  CROSSFIX_D16_TEXT ", " CROSSFIX_D8(16, 17, 18, 19, 20, 21, 22, 23) ", " CROSSFIX_D8( \
      24, 25, 26, 27, 28, 29, 30, 31)
#define CROSSFIX_D64_TEXT                                                                       \
  CROSSFIX_D32_TEXT ", " CROSSFIX_D8(32, 33, 34, 35, 36, 37, 38, 39) ", " CROSSFIX_D8(          \
      40, 41, 42, 43, 44, 45, 46, 47) ", " CROSSFIX_D8(48, 49, 50, 51, 52, 53, 54,              \
                                                       55) ", " CROSSFIX_D8(56, 57, 58, 59, 60, \
                                                                            61, 62, 63)
#define CROSSFIX_D128_TEXT \
  CROSSFIX_D64_TEXT ", "                                                                         \
  CROSSFIX_D8(64, 65, 66, 67, 68, 69, 70, 71) ", " CROSSFIX_D8(72, 73, 74, 75, 76, 77, 78, 79) \
  ", " CROSSFIX_D8(80, 81, 82, 83, 84, 85, 86, 87) ", "                                          \
  CROSSFIX_D8(88, 89, 90, 91, 92, 93, 94, 95) ", "                                               \
  CROSSFIX_D8(96, 97, 98, 99, 100, 101, 102, 103) ", "                                           \
  CROSSFIX_D8(104, 105, 106, 107, 108, 109, 110, 111) ", "                                       \
  CROSSFIX_D8(112, 113, 114, 115, 116, 117, 118, 119) ", "                                       \
  CROSSFIX_D8(120, 121, 122, 123, 124, 125, 126, 127)
#define CROSSFIX_R8(i)                                                                        \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])
#define CROSSFIX_R16 CROSSFIX_R8(0), CROSSFIX_R8(8)
#define CROSSFIX_R32 CROSSFIX_R16, CROSSFIX_R8(16), CROSSFIX_R8(24)
#define CROSSFIX_R64 \
  CROSSFIX_R32, CROSSFIX_R8(32), CROSSFIX_R8(40), CROSSFIX_R8(48), CROSSFIX_R8(56)
#define CROSSFIX_R128                                                               \
  CROSSFIX_R64, CROSSFIX_R8(64), CROSSFIX_R8(72), CROSSFIX_R8(80), CROSSFIX_R8(88), \
      CROSSFIX_R8(96), CROSSFIX_R8(104), CROSSFIX_R8(112), CROSSFIX_R8(120)

// One instruction: m64 nN k16, both operands in shared memory and K-major; or A in registers and B
// MN-major. `a` to `s` are the numbers of the operands after the accumulators.
#define CROSSFIX_WGMMA_SS(N, TYPE, COUNT, a, b, s)                                    \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #s                                \
               ", 0;\n"                                                               \
               "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE        \
               " {" CROSSFIX_D##COUNT##_TEXT "}, %" #a ", %" #b ", p, 1, 1, 0, 0;\n}" \
               : CROSSFIX_R##COUNT                                                    \
               : "l"(descriptor_a), "l"(descriptor_b), "r"(static_cast<int>(accumulate)))
#define CROSSFIX_WGMMA_RS(N, TYPE, COUNT, a0, a1, a2, a3, b, s)                                  \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #s                                           \
               ", 0;\n"                                                                          \
               "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE                   \
               " {" CROSSFIX_D##COUNT##_TEXT "}, {%" #a0 ", %" #a1 ", %" #a2 ", %" #a3 "}, %" #b \
                                             ", p, 1, 1, 1;\n}"                                  \
               : CROSSFIX_R##COUNT                                                               \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(descriptor_b),                  \
                 "r"(static_cast<int>(accumulate)))

/// d [64, kN] = a [64, 16] b [16, kN] (+ d), by one warpgroup; asynchronous until `warpgroup_wait`.
template <class Element, int kN>
__device__ __forceinline__ void warpgroup_mma(float (&d)[kN / 2], std::uint64_t descriptor_a,
                                              std::uint64_t descriptor_b, bool accumulate) {
#if CROSSFIX_DEVICE_SM90A
  static_assert(kN == 64 || kN == 128 || kN == 256);
  if constexpr (std::is_same_v<Element, bfloat16>) {
    if constexpr (kN == 64) CROSSFIX_WGMMA_SS(64, "bf16", 32, 32, 33, 34);
    if constexpr (kN == 128) CROSSFIX_WGMMA_SS(128, "bf16", 64, 64, 65, 66);
    if constexpr (kN == 256) CROSSFIX_WGMMA_SS(256, "bf16", 128, 128, 129, 130);
  } else {
    if constexpr (kN == 64) CROSSFIX_WGMMA_SS(64, "f16", 32, 32, 33, 34);
    if constexpr (kN == 128) CROSSFIX_WGMMA_SS(128, "f16", 64, 64, 65, 66);
    if constexpr (kN == 256) CROSSFIX_WGMMA_SS(256, "f16", 128, 128, 129, 130);
  }
#endif
}
template <class Element, int kN>
__device__ __forceinline__ void warpgroup_mma(float (&d)[kN / 2], const std::uint32_t (&a)[4],
                                              std::uint64_t descriptor_b, bool accumulate) {
#if CROSSFIX_DEVICE_SM90A
  static_assert(kN == 32 || kN == 64 || kN == 128);
  if constexpr (std::is_same_v<Element, bfloat16>) {
    if constexpr (kN == 32) CROSSFIX_WGMMA_RS(32, "bf16", 16, 16, 17, 18, 19, 20, 21);
    if constexpr (kN == 64) CROSSFIX_WGMMA_RS(64, "bf16", 32, 32, 33, 34, 35, 36, 37);
    if constexpr (kN == 128) CROSSFIX_WGMMA_RS(128, "bf16", 64, 64, 65, 66, 67, 68, 69);
  } else {
    if constexpr (kN == 32) CROSSFIX_WGMMA_RS(32, "f16", 16, 16, 17, 18, 19, 20, 21);
    if constexpr (kN == 64) CROSSFIX_WGMMA_RS(64, "f16", 32, 32, 33, 34, 35, 36, 37);
    if constexpr (kN == 128) CROSSFIX_WGMMA_RS(128, "f16", 64, 64, 65, 66, 67, 68, 69);
  }
#endif
}

#undef CROSSFIX_WGMMA_SS
#undef CROSSFIX_WGMMA_RS
#undef CROSSFIX_SM90A_ASM
#undef CROSSFIX_D8
#undef CROSSFIX_D16_TEXT
#undef CROSSFIX_D32_TEXT
#undef CROSSFIX_D64_TEXT
#undef CROSSFIX_D128_TEXT
#undef CROSSFIX_R8
#undef CROSSFIX_R16
#undef CROSSFIX_R32
#undef CROSSFIX_R64
#undef CROSSFIX_R128

}  // namespace crossfix::device
