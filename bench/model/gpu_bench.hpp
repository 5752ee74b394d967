#pragma once

namespace crossfix::bench {

/// Registers the benchmarks of the whole network on a GPU. If there is no GPU, it says so on
/// standard error and registers nothing.
void add_gpu_pairs();

}  // namespace crossfix::bench
