#include "ops/peak.hpp"

#include <time.h>

#include <algorithm>

#include "crossfix/core/dtype.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::bench {
namespace {

constexpr int kSums = 12;  // more than latency times throughput of any multiply-add
constexpr long kSteps = 400'000;
constexpr int kRepeats = 5;

/// Floating-point operations of a function that runs kSteps steps of kSums instructions.
struct Peak {
  void (*run)();
  double operations;  ///< of one instruction
};

void baseline_multiply_adds() {
  using Floats = float __attribute__((vector_size(16)));
  Floats sums[kSums] = {};
  const Floats a = {0.5f, 0.5f, 0.5f, 0.5f};
  for (long step = 0; step < kSteps; ++step) {
    for (Floats& sum : sums) {
      sum = sum * a + a;
      // The compiler may neither drop nor merge the products.
#if defined(__x86_64__)
      asm volatile("" : "+x"(sum));
#else
      asm volatile("" : "+w"(sum));
#endif
    }
  }
}

#if defined(__x86_64__)
typedef float Floats8 __attribute__((vector_size(32)));
typedef float Floats16 __attribute__((vector_size(64)));

[[gnu::target("avx2,fma")]] void avx2_multiply_adds() {
  Floats8 a = {};
  for (long step = 0; step < kSteps; ++step) {
    asm volatile(
        "vfmadd231ps %0,%0,%%ymm1\n\tvfmadd231ps %0,%0,%%ymm2\n\tvfmadd231ps %0,%0,%%ymm3\n\t"
        "vfmadd231ps %0,%0,%%ymm4\n\tvfmadd231ps %0,%0,%%ymm5\n\tvfmadd231ps %0,%0,%%ymm6\n\t"
        "vfmadd231ps %0,%0,%%ymm7\n\tvfmadd231ps %0,%0,%%ymm8\n\tvfmadd231ps %0,%0,%%ymm9\n\t"
        "vfmadd231ps %0,%0,%%ymm10\n\tvfmadd231ps %0,%0,%%ymm11\n\tvfmadd231ps %0,%0,%%ymm12"
        :
        : "x"(a)
        : "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12");
  }
}

[[gnu::target("avx512f")]] void avx512_multiply_adds() {
  Floats16 a = {};
  for (long step = 0; step < kSteps; ++step) {
    asm volatile(
        "vfmadd231ps %0,%0,%%zmm1\n\tvfmadd231ps %0,%0,%%zmm2\n\tvfmadd231ps %0,%0,%%zmm3\n\t"
        "vfmadd231ps %0,%0,%%zmm4\n\tvfmadd231ps %0,%0,%%zmm5\n\tvfmadd231ps %0,%0,%%zmm6\n\t"
        "vfmadd231ps %0,%0,%%zmm7\n\tvfmadd231ps %0,%0,%%zmm8\n\tvfmadd231ps %0,%0,%%zmm9\n\t"
        "vfmadd231ps %0,%0,%%zmm10\n\tvfmadd231ps %0,%0,%%zmm11\n\tvfmadd231ps %0,%0,%%zmm12"
        :
        : "v"(a)
        : "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12");
  }
}

[[gnu::target("avx512f")]] void avx512_dot_products() {
  Floats16 a = {};
  for (long step = 0; step < kSteps; ++step) {
    asm volatile(
        "vdpbf16ps %0,%0,%%zmm1\n\tvdpbf16ps %0,%0,%%zmm2\n\tvdpbf16ps %0,%0,%%zmm3\n\t"
        "vdpbf16ps %0,%0,%%zmm4\n\tvdpbf16ps %0,%0,%%zmm5\n\tvdpbf16ps %0,%0,%%zmm6\n\t"
        "vdpbf16ps %0,%0,%%zmm7\n\tvdpbf16ps %0,%0,%%zmm8\n\tvdpbf16ps %0,%0,%%zmm9\n\t"
        "vdpbf16ps %0,%0,%%zmm10\n\tvdpbf16ps %0,%0,%%zmm11\n\tvdpbf16ps %0,%0,%%zmm12"
        :
        : "v"(a)
        : "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12");
  }
}
#endif

template <class Element>
Peak peak_of();

template <>
Peak peak_of<float>() {
#if defined(__x86_64__)
  const cpu::InstructionSet best = cpu::best_instruction_set();
  if (best >= cpu::InstructionSet::avx512) return {avx512_multiply_adds, 32.0};
  if (best >= cpu::InstructionSet::avx2) return {avx2_multiply_adds, 16.0};
#endif
  return {baseline_multiply_adds, 8.0};
}

template <>
Peak peak_of<bfloat16>() {
#if defined(__x86_64__)
  if (cpu::supports_bf16()) return {avx512_dot_products, 64.0};
#endif
  return {nullptr, 0.0};
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

template <class Element>
double peak_flops(int threads) {
  const Peak peak = peak_of<Element>();
  if (peak.run == nullptr) return 0.0;
  if (threads == 0) threads = cpu::available_threads();
  const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  double best = 0.0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const double start = seconds(clock);
#pragma omp parallel num_threads(threads)
    peak.run();
    best = std::max(best, threads * peak.operations * kSums * static_cast<double>(kSteps) /
                              (seconds(clock) - start));
  }
  return best;
}

template double peak_flops<float>(int);
template double peak_flops<bfloat16>(int);

}  // namespace crossfix::bench
