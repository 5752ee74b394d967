#include <algorithm>
#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/pool.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/pool/max_pool.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

/// Largest number of blocks along the second axis of a grid.
constexpr Index kMostBlocks = 65535;

template <class Element, int kWidth, class Windows>
void launch_pool(StreamView stream, const Pool<Element, Windows>& pool) {
  const int vectors = pool.channels / kWidth;
  const int items = pool.out_width * vectors;
  const dim3 blocks(static_cast<unsigned>(ceil_div(items, kPoolThreads)),
                    static_cast<unsigned>(std::min(pool.out_rows, kMostBlocks)));
  device::launch(stream, {blocks, kPoolThreads, 0}, "max_pool", pool_rows<Element, kWidth, Windows>,
                 pool, vectors);
}

template <class Element, class Windows>
void run_pool(StreamView stream, TensorView<const Element, 4, DeviceSpace> x,
              TensorView<Element, 4, DeviceSpace> y, Windows vertical, Windows horizontal) {
  expect_contiguous("max pool input", x);
  expect_contiguous("max pool output", y);
  const Shape<4>& from = x.shape();
  const Shape<4>& to = y.shape();
  constexpr Index kMost = std::numeric_limits<int>::max() - kPoolThreads;
  if (from[1] > kMost / 2 || from[2] > kMost / 2 || to[2] * to[3] > kMost) {
    throw ShapeError("a max pool from " + to_string(from) + " to " + to_string(to) +
                     "; rows of less than 2^31 elements are expected");
  }
  if (y.empty()) return;
  const Pool<Element, Windows> pool{.x = x.data(),
                                    .y = y.data(),
                                    .out_rows = to[0] * to[1],
                                    .height = static_cast<int>(from[1]),
                                    .width = static_cast<int>(from[2]),
                                    .channels = static_cast<int>(to[3]),
                                    .out_height = static_cast<int>(to[1]),
                                    .out_width = static_cast<int>(to[2]),
                                    .vertical = vertical,
                                    .horizontal = horizontal};
  constexpr int kWidth = device::kVectorElements<Element>;
  if (to[3] % kWidth == 0 && device::aligned(x.data(), device::kVectorBytes) &&
      device::aligned(y.data(), device::kVectorBytes)) {
    launch_pool<Element, kWidth>(stream, pool);
  } else {
    launch_pool<Element, 1>(stream, pool);
  }
}

}  // namespace

template <class Element>
void max_pool(StreamView stream, const DeviceTraits&, ops::PoolWindow window,
              TensorView<const Element, 4, DeviceSpace> x, TensorView<Element, 4, DeviceSpace> y) {
  const Shape<4>& from = x.shape();
  expect_shape("max pool output", y.shape(),
               {from[0], ops::max_pool_extent(from[1]), ops::max_pool_extent(from[2]), from[3]});
  run_pool(stream, x, y, HalvingWindows{window, from[1]}, HalvingWindows{window, from[2]});
}

template <class Element>
void adaptive_max_pool(StreamView stream, const DeviceTraits&,
                       TensorView<const Element, 4, DeviceSpace> x,
                       TensorView<Element, 4, DeviceSpace> y) {
  const Shape<4>& from = x.shape();
  const Shape<4>& to = y.shape();
  expect_shape("adaptive max pool output", to, {from[0], to[1], to[2], from[3]});
  if (to[1] > from[1] || to[2] > from[2]) {
    throw ShapeError("an adaptive max pool cannot enlarge " + to_string(from) + " to " +
                     to_string(to));
  }
  run_pool(stream, x, y, AdaptiveWindows{from[1], to[1]}, AdaptiveWindows{from[2], to[2]});
}

template void max_pool(StreamView, const DeviceTraits&, ops::PoolWindow,
                       TensorView<const float, 4, DeviceSpace>, TensorView<float, 4, DeviceSpace>);
template void adaptive_max_pool(StreamView, const DeviceTraits&,
                                TensorView<const float, 4, DeviceSpace>,
                                TensorView<float, 4, DeviceSpace>);
template void max_pool(StreamView, const DeviceTraits&, ops::PoolWindow,
                       TensorView<const bfloat16, 4, DeviceSpace>,
                       TensorView<bfloat16, 4, DeviceSpace>);
template void adaptive_max_pool(StreamView, const DeviceTraits&,
                                TensorView<const bfloat16, 4, DeviceSpace>,
                                TensorView<bfloat16, 4, DeviceSpace>);
template void max_pool(StreamView, const DeviceTraits&, ops::PoolWindow,
                       TensorView<const float16, 4, DeviceSpace>,
                       TensorView<float16, 4, DeviceSpace>);
template void adaptive_max_pool(StreamView, const DeviceTraits&,
                                TensorView<const float16, 4, DeviceSpace>,
                                TensorView<float16, 4, DeviceSpace>);

}  // namespace crossfix::cuda
