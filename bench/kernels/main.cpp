#include <cstdio>

#include "crossfix/core/error.hpp"
#include "kernels/ceilings.hpp"
#include "kernels/gpu.hpp"

using namespace crossfix;

/// Benchmarks of the kernels on a GPU, with the limits of the device first. Measures nothing if
/// there is no GPU.
int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    bench::Gpu& gpu = bench::Gpu::get();
    benchmark::AddCustomContext("device", gpu.describe());
    benchmark::AddCustomContext("copy_bytes_per_second", std::to_string(gpu.copy_rate()));
  } catch (const Error& error) {
    std::printf("bench_kernels: nothing measured, no GPU: %s\n", error.what());
    return 0;
  }
  bench::add_ceilings();
  bench::add_attentions();
  bench::add_memory_bound();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
