#pragma once

#include "crossfix/kernels/attention/ampere.cuh"
#include "crossfix/kernels/attention/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::kernels {

/// Enqueues the Ampere kernel with tile sizes `kTile` on the stream; T is bfloat16 or float16.
/// Throws ShapeError if the head dimension is larger than the tile's or not a multiple of 8, or if
/// rows of q, k or v do not begin at a multiple of 16 bytes; DeviceError if the launch fails.
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
