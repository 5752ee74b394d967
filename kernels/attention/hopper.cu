#include <algorithm>
#include <cstdint>
#include <limits>

#include "attention/hopper.cuh"
#include "attention/hopper.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/math.hpp"
#include "device/launch.cuh"

namespace crossfix::kernels {
namespace {

constexpr Index kAlignment = 16;  // bytes: the copy engine's, and that of a store

/// The strides of an operand that count, innermost axis first, dim aside; an axis of extent 1 gets
/// one that nobody objects to.
template <class T>
std::array<Index, 4> strides_of(const AttentionOperand<T>& operand, Index heads, Index tokens,
                                Index batch, int dim) {
  return {1, heads == 1 ? dim : operand.head_stride, tokens == 1 ? dim : operand.token_stride,
          batch == 1 ? dim : operand.batch_stride};
}

template <class T>
bool aligned(const AttentionOperand<T>& operand, const std::array<Index, 4>& strides) {
  constexpr Index kElements = kAlignment / kElementBytes;
  return reinterpret_cast<std::uintptr_t>(operand.data) % kAlignment == 0 &&
         std::all_of(strides.begin() + 1, strides.end(),
                     [](Index stride) { return stride > 0 && stride % kElements == 0; });
}

template <class Tile, class T>
device::TensorMap map_of(const AttentionOperand<const T>& operand,
                         const AttentionArguments<T>& arguments, Index tokens, int rows) {
  device::TensorMapDescription map;
  map.base = operand.data;
  map.dtype = dtype_of<T>;
  map.extents = {Tile::kDim, arguments.heads, tokens, arguments.batch};
  map.strides = strides_of(operand, arguments.heads, tokens, arguments.batch, Tile::kDim);
  map.box = {Tile::kPanel, 1, rows, 1};
  map.swizzle = Tile::kSpan == 128 ? device::Swizzle::b128 : device::Swizzle::b64;
  return device::make_tensor_map(map);
}

template <class Tile, class T>
void launch(cuda::StreamView stream, const cuda::DeviceTraits& device,
            const AttentionArguments<T>& arguments) {
  const Index query_blocks = ceil_div(arguments.queries, Tile::kRows);
  const Index items = arguments.batch * arguments.heads * query_blocks;
  if (items > std::numeric_limits<int>::max() - device.multiprocessors) {
    throw ShapeError("attention over " + std::to_string(items) +
                     " blocks of queries; at most 2^31 fit: split the batch");
  }
  HopperProblem<T> problem;
  problem.query_map = map_of<Tile>(arguments.q, arguments, arguments.queries, Tile::kRows);
  problem.key_map = map_of<Tile>(arguments.k, arguments, arguments.keys, Tile::kKeys);
  problem.value_map = map_of<Tile>(arguments.v, arguments, arguments.keys, Tile::kKeys);
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

}  // namespace

template <class T>
bool hopper_supports(const cuda::DeviceTraits& device, const AttentionArguments<T>& arguments) {
  const auto fits = [&](const auto& operand, Index tokens) {
    return aligned(operand,
                   strides_of(operand, arguments.heads, tokens, arguments.batch, arguments.dim));
  };
  const bool dim = arguments.dim == 32 || arguments.dim == 64 || arguments.dim == 128;
  return device.compute_capability == 90 && dim && arguments.keys > 0 &&
         fits(arguments.q, arguments.queries) && fits(arguments.k, arguments.keys) &&
         fits(arguments.v, arguments.keys) && fits(arguments.o, arguments.queries);
}

template <class T>
void attention_hopper(cuda::StreamView stream, const cuda::DeviceTraits& device,
                      const AttentionArguments<T>& arguments) {
  switch (arguments.dim) {
    case 32:
      switch (choose32(arguments.batch * arguments.heads, arguments.queries, arguments.keys,
                       device.multiprocessors)) {
        case Choice32::wide:
          return launch<Wide32>(stream, device, arguments);
        case Choice32::medium:
          return launch<Medium32>(stream, device, arguments);
        case Choice32::shared:
          return launch<Shared32>(stream, device, arguments);
      }
      return;
    case 64:
      return launch<Tile64>(stream, device, arguments);
    default:
      return launch<Tile128>(stream, device, arguments);
  }
}

template bool hopper_supports<bfloat16>(const cuda::DeviceTraits&,
                                        const AttentionArguments<bfloat16>&);
template bool hopper_supports<float16>(const cuda::DeviceTraits&,
                                       const AttentionArguments<float16>&);
template void attention_hopper<bfloat16>(cuda::StreamView, const cuda::DeviceTraits&,
                                         const AttentionArguments<bfloat16>&);
template void attention_hopper<float16>(cuda::StreamView, const cuda::DeviceTraits&,
                                        const AttentionArguments<float16>&);

}  // namespace crossfix::kernels
