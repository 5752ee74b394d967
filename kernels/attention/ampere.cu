#include "attention/ampere.cuh"
#include "attention/ampere.hpp"
#include "attention/checks.hpp"
#include "crossfix/core/dtype.hpp"
#include "device/launch.cuh"

namespace crossfix::kernels {
namespace {

template <class T, class Tile>
void launch_tile(cuda::StreamView stream, const AttentionArguments<T>& arguments) {
  device::launch(stream,
                 {dim3(grid_of(arguments, Tile::kQueries)), Tile::kThreads, Tile::kSharedBytes},
                 "attention (ampere)", attention_ampere_kernel<T, Tile>, arguments,
                 misaligned_axis(arguments, arguments.o, arguments.queries) == nullptr);
}

}  // namespace

template <class T>
void attention_ampere(cuda::StreamView stream, const AttentionArguments<T>& arguments) {
  expect_aligned("queries", arguments, arguments.q, arguments.queries);
  expect_aligned("keys", arguments, arguments.k, arguments.keys);
  expect_aligned("values", arguments, arguments.v, arguments.keys);
  switch (arguments.dim) {
    case 16:
    case 32:
      return launch_tile<T, AmpereTile<32>>(stream, arguments);
    case 64:
      return launch_tile<T, AmpereTile<64>>(stream, arguments);
    case 128:
      return launch_tile<T, AmpereTile<128>>(stream, arguments);
    default:
      refuse_dim("16, 32, 64 and 128 in 16 bits", arguments.dim);
  }
}

template void attention_ampere<bfloat16>(cuda::StreamView, const AttentionArguments<bfloat16>&);
template void attention_ampere<float16>(cuda::StreamView, const AttentionArguments<float16>&);

}  // namespace crossfix::kernels
