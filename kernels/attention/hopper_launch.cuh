#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/kernels/attention/checks.hpp"
#include "crossfix/kernels/attention/hopper.cuh"
#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::kernels {

/// The strides of an operand without dim, innermost axis first. An axis of extent 1 gets a stride
/// that always passes the checks, because its own stride does not matter.
template <class T>
std::array<Index, 4> hopper_strides(const AttentionOperand<T>& operand, Index heads, Index tokens,
                                    Index batch, int dim) {
  return {1, heads == 1 ? dim : operand.head_stride, tokens == 1 ? dim : operand.token_stride,
          batch == 1 ? dim : operand.batch_stride};
}

template <class T>
bool hopper_aligned(const AttentionOperand<T>& operand, const std::array<Index, 4>& strides) {
  constexpr Index kElements = kRowAlignment / kElementBytes;
  return reinterpret_cast<std::uintptr_t>(operand.data) % kRowAlignment == 0 &&
         std::all_of(strides.begin() + 1, strides.end(),
                     [](Index stride) { return stride > 0 && stride % kElements == 0; });
}

template <class Tile, class T>
device::TensorMap hopper_map(const AttentionOperand<const T>& operand,
                             const AttentionArguments<T>& arguments, Index tokens, int rows) {
  device::TensorMapDescription map;
  map.base = operand.data;
  map.dtype = dtype_of<T>;
  map.extents = {Tile::kDim, arguments.heads, tokens, arguments.batch};
  map.strides = hopper_strides(operand, arguments.heads, tokens, arguments.batch, Tile::kDim);
  map.box = {Tile::kPanel, 1, rows, 1};
  map.swizzle = Tile::kSpan == 128 ? device::Swizzle::b128 : device::Swizzle::b64;
  return device::make_tensor_map(map);
}

/// Whether the copy engine and 16-byte stores support these views: at least one key; base addresses
/// at multiples of 16 bytes; strides that are positive multiples of 16 bytes (except those of axes
/// of extent 1).
template <class T>
bool hopper_takes(const AttentionArguments<T>& arguments) {
  const auto fits = [&](const auto& operand, Index tokens) {
    return hopper_aligned(
        operand, hopper_strides(operand, arguments.heads, tokens, arguments.batch, arguments.dim));
  };
  return arguments.keys > 0 && fits(arguments.q, arguments.queries) &&
         fits(arguments.k, arguments.keys) && fits(arguments.v, arguments.keys) &&
         fits(arguments.o, arguments.queries);
}

/// Enqueues the Hopper kernel with tile sizes `kTile` on the stream of a device of compute
/// capability 9.0; T is bfloat16 or float16. Throws ShapeError if the head dimension differs from
/// the tile's, if hopper_takes is false for the views, or if there are too many blocks of queries;
/// DeviceError if the launch fails.
template <HopperTile kTile, class T>
void launch_hopper(cuda::StreamView stream, const cuda::DeviceTraits& device,
                   const AttentionArguments<T>& arguments) {
  using Tile = HopperLayout<kTile>;
  if (arguments.dim != Tile::kDim) refuse_dim("that are its tile's", arguments.dim);
  if (!hopper_takes(arguments)) {
    throw ShapeError(
        "the copy engine takes rows that begin at multiples of 16 bytes, of keys that "
        "are there and not repeated");
  }
  const Index query_blocks = ceil_div(arguments.queries, Tile::kRows);
  const Index items = arguments.batch * arguments.heads * query_blocks;
  if (items > std::numeric_limits<int>::max() - device.multiprocessors) {
    throw ShapeError("attention over " + std::to_string(items) +
                     " blocks of queries; at most 2^31 fit: split the batch");
  }
  HopperProblem<T> problem;
  problem.query_map = hopper_map<Tile>(arguments.q, arguments, arguments.queries, Tile::kRows);
  problem.key_map = hopper_map<Tile>(arguments.k, arguments, arguments.keys, Tile::kKeys);
  problem.value_map = hopper_map<Tile>(arguments.v, arguments, arguments.keys, Tile::kKeys);
  problem.o = arguments.o;
  problem.lse = arguments.lse;
  problem.heads = static_cast<int>(arguments.heads);
  problem.queries = arguments.queries;
  problem.keys = arguments.keys;
  problem.key_tiles = ceil_div(arguments.keys, Tile::kKeys);
  problem.query_blocks = static_cast<int>(query_blocks);
  problem.work_items = static_cast<int>(items);
  problem.scale_log2 = arguments.scale * kLog2E;
  const auto blocks = static_cast<unsigned>(std::min<Index>(items, device.multiprocessors));
  device::launch(stream, {dim3(blocks), Tile::kThreads, Tile::kSharedBytes}, "attention (Hopper)",
                 attention_hopper_kernel<Tile, T>, problem);
}

}  // namespace crossfix::kernels
