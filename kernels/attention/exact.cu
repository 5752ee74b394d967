#include "crossfix/kernels/attention/checks.hpp"
#include "crossfix/kernels/attention/exact.cuh"
#include "crossfix/kernels/attention/exact.hpp"
#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::kernels {
namespace {

template <ExactTile kTile>
void launch_tile(cuda::StreamView stream, const AttentionArguments<float>& arguments) {
  using Tile = ExactLayout<kTile>;
  device::launch(stream,
                 {dim3(grid_of(arguments, Tile::kQueries)), Tile::kThreads, Tile::kSharedBytes},
                 "attention (exact)", attention_exact_kernel<Tile>, arguments);
}

}  // namespace

void attention_exact(cuda::StreamView stream, const AttentionArguments<float>& arguments) {
  const int dim = arguments.dim;
  if (dim <= 16) return launch_tile<kExact16>(stream, arguments);
  if (dim <= 32) return launch_tile<kExact32>(stream, arguments);
  if (dim <= 64) return launch_tile<kExact64>(stream, arguments);
  if (dim <= 128) return launch_tile<kExact128>(stream, arguments);
  refuse_dim("up to 128 in f32", dim);
}

}  // namespace crossfix::kernels
