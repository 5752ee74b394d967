#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "crossfix/core/tensor.hpp"
#include "crossfix/cpu/backend.hpp"
#include "ops/peak.hpp"
#include "support/counter_generator.hpp"

/// What the operators' benchmarks share. Each checks some of its results against plain sums in
/// double before it is timed, and refuses to time wrong ones.
namespace crossfix::bench {

/// Relative error allowed of a result; the tests of the operators say where it comes from.
template <class Element>
inline constexpr double kTolerance = std::is_same_v<Element, float> ? 1e-5 : 0x1p-7;

template <class Element, std::size_t Rank>
Tensor<Element, Rank> random(const std::string& key, const Shape<Rank>& shape, float scale = 1.0f) {
  const auto values = test::features(key, shape);
  Tensor<Element, Rank> out(shape);
  for (Index i = 0; i < out.size(); ++i) out.data()[i] = Element(values.data()[i] * scale);
  return out;
}

/// Gathers the error of results that were worked out another way.
class Check {
 public:
  template <class Element>
  void add(Element result, double expected) {
    const double difference = static_cast<double>(static_cast<float>(result)) - expected;
    difference_ += difference * difference;
    norm_ += expected * expected;
  }
  /// False, and the benchmark ends with an error, unless the relative L2 error is within bounds.
  template <class Element>
  bool passes(benchmark::State& state) const {
    const double error = std::sqrt(difference_ / norm_);
    if (error <= kTolerance<Element>) return true;
    state.SkipWithError(("wrong results: relative error " + std::to_string(error)).c_str());
    return false;
  }

 private:
  double difference_ = 0.0;
  double norm_ = 0.0;
};

/// Reports GFLOP/s, and their share of the peak of the machine, measured now.
template <class Element>
void report_flops(benchmark::State& state, double operations, int threads) {
  using benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(operations * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] =
      Counter(operations / peak_flops<Element>(threads), Counter::kIsIterationInvariantRate);
}

template <class Element>
std::string named(const std::string& name) {
  return name + "/" + std::string(name_of(dtype_of<Element>));
}

/// Threads that benchmarks run on: CROSSFIX_BENCH_THREADS, 0 (all cores) where it is absent.
inline int threads() {
  const char* wish = std::getenv("CROSSFIX_BENCH_THREADS");
  return wish != nullptr ? std::atoi(wish) : 0;
}

/// Registers a benchmark. On one thread the time it had a core counts, which neighbours on the
/// machine leave nearly alone; on several, the clock on the wall.
template <class Run>
benchmark::internal::Benchmark* add(const std::string& name, int threads, Run run) {
  auto* added = benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  if (threads != 1) added->UseRealTime();
  return added;
}

// Each family, run on `threads` threads (0: all cores).
void add_convolutions(int threads);
void add_linears(int threads);
void add_attentions(int threads);
void add_norms(int threads);

}  // namespace crossfix::bench
