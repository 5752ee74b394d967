#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "check.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/backend.hpp"
#include "ops/peak.hpp"
#include "support/counter_generator.hpp"

/// Shared code of the operators' benchmarks. Each checks some of its results against plain sums in
/// double before it is timed, and refuses to time wrong results.
namespace crossfix::bench {

template <class Element, std::size_t Rank>
Tensor<Element, Rank> random(const std::string& key, const Shape<Rank>& shape, float scale = 1.0f) {
  const auto values = test::features(key, shape);
  Tensor<Element, Rank> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = Element(values.data()[i] * scale);
  return out;
}

/// Reports GFLOP/s, and their share of the peak of the machine, which is measured now.
template <class Element>
void report_flops(benchmark::State& state, double operations, int threads) {
  using benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(operations * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] =
      Counter(operations / peak_flops<Element>(threads), Counter::kIsIterationInvariantRate);
}

/// Number of threads that benchmarks run on: CROSSFIX_BENCH_THREADS, or 0 (all cores) if it is not
/// set.
inline int threads() {
  const char* wish = std::getenv("CROSSFIX_BENCH_THREADS");
  return wish != nullptr ? std::atoi(wish) : 0;
}

/// Registers a benchmark. On one thread the time that the thread had a core counts, because other
/// programs on the machine hardly change it. On several threads it is wall-clock time.
template <class Run>
benchmark::internal::Benchmark* add(const std::string& name, int threads, Run run) {
  auto* added = benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  if (threads != 1) added->UseRealTime();
  return added;
}

/// Calls `add(target, element)` for each library in this build and each element that the library
/// computes in on this machine.
template <class Add>
void add_of_libraries(int threads, Add add) {
  if (cpu::best_math_library() == cpu::MathLibrary::onednn) {
    const cpu::Target target{.threads = threads, .library = cpu::MathLibrary::onednn};
    add(target, float{});
    if (cpu::supports_bf16()) add(target, bfloat16{});
  }
  add(cpu::Target{.threads = threads, .library = cpu::MathLibrary::eigen}, float{});
}

// Each family, run on `threads` threads (0: all cores).
void add_convolutions(int threads);
void add_depthwise(int threads);
void add_ground(int threads);
void add_linears(int threads);
void add_attentions(int threads);
void add_norms(int threads);

}  // namespace crossfix::bench
