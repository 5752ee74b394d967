#include <cstdio>

#include "ops/bench.hpp"

using namespace crossfix;

/// Benchmarks of the operators. CROSSFIX_BENCH_THREADS sets the number of threads (default: all
/// cores).
int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const int threads = bench::threads();
  std::fprintf(stderr, "peak of one core: %.0f GFLOP/s f32, %.0f bf16; of %d: %.0f and %.0f\n",
               bench::peak_flops<float>(1) * 1e-9, bench::peak_flops<bfloat16>(1) * 1e-9,
               cpu::available_threads(), bench::peak_flops<float>() * 1e-9,
               bench::peak_flops<bfloat16>() * 1e-9);
  bench::add_convolutions(threads);
  bench::add_depthwise(threads);
  bench::add_ground(threads);
  bench::add_linears(threads);
  bench::add_attentions(threads);
  bench::add_norms(threads);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
