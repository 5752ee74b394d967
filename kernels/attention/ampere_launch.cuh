#pragma once

#include "crossfix/kernels/attention/ampere.cuh"
#include "crossfix/kernels/attention/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::kernels {

/// Hands the Ampere kernel, cut as `kTile` says, to the stream; T is bfloat16 or float16. Throws
/// ShapeError for a head dimension above the tile's or no multiple of 8, and for q, k or v with
/// rows that do not begin at a multiple of 16 bytes; DeviceError where the launch is refused.
template <AmpereTile kTile, class T>
void launch_ampere(cuda::StreamView stream, const AttentionArguments<T>& arguments) {
  using Tile = AmpereLayout<kTile>;
  if (arguments.dim > Tile::kDim || arguments.dim % Tile::Rows::kChunkElements != 0) {
    refuse_dim("that are multiples of 8 up to its tile's", arguments.dim);
  }
  expect_aligned("queries", arguments, arguments.q, arguments.queries);
  expect_aligned("keys", arguments, arguments.k, arguments.keys);
  expect_aligned("values", arguments, arguments.v, arguments.keys);
  device::launch(stream,
                 {dim3(grid_of(arguments, Tile::kQueries)), Tile::kThreads, Tile::kSharedBytes},
                 "attention (ampere)", attention_ampere_kernel<T, Tile>, arguments,
                 misaligned_axis(arguments, arguments.o, arguments.queries) == nullptr);
}

}  // namespace crossfix::kernels
