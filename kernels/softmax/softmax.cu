#include <algorithm>
#include <bit>
#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/softmax.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/softmax/softmax.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

/// Longest row: threads count columns in ints, and step past the end by less than one step.
constexpr Index kLongest = std::numeric_limits<int>::max() / 2;

template <class Element, int kWidth, int kSlots>
void launch_lanes(StreamView stream, const SoftmaxRows<Element>& rows) {
  const auto vectors = static_cast<unsigned>(ceil_div(rows.columns, kWidth));
  const int lanes = static_cast<int>(std::min(std::bit_ceil(vectors), unsigned{kWarp}));
  const Index blocks = ceil_div<Index>(rows.rows, kSoftmaxLanesThreads / lanes);
  device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kSoftmaxLanesThreads, 0}, "softmax",
                 softmax_lanes<Element, kWidth, kSlots>, rows, lanes);
}

template <class Element, int kWidth>
void launch_softmax(StreamView stream, const SoftmaxRows<Element>& rows) {
  // The smallest number of slots that holds a row in a warp's registers.
  constexpr int kMost = kSoftmaxLanesFloats / kWidth;
  const auto held = [&](int slots) { return rows.columns <= kWarp * kWidth * slots; };
  if (held(kMost / 4)) return launch_lanes<Element, kWidth, kMost / 4>(stream, rows);
  if (held(kMost / 2)) return launch_lanes<Element, kWidth, kMost / 2>(stream, rows);
  if (held(kMost)) return launch_lanes<Element, kWidth, kMost>(stream, rows);

  const dim3 blocks(static_cast<unsigned>(rows.rows));
  constexpr int kFloats = kSoftmaxBlockFloats<kWidth>;
  if (rows.columns <= kSoftmaxBlockThreads * kFloats) {
    const int warps = ceil_div(rows.columns, kWarp * kFloats);
    device::launch(stream, {blocks, static_cast<unsigned>(warps * kWarp), kSoftmaxSharedBytes},
                   "softmax", softmax_block<Element, kWidth, kFloats / kWidth>, rows);
  } else {
    device::launch(stream, {blocks, kSoftmaxBlockThreads, kSoftmaxSharedBytes}, "softmax",
                   softmax_long<Element, kWidth, kSoftmaxStepFloats / kWidth>, rows);
  }
}

}  // namespace

template <class Element>
void softmax(StreamView stream, const DeviceTraits&, TensorView<const Element, 2, DeviceSpace> x,
             float scale, TensorView<const float, 2, DeviceSpace> bias,
             TensorView<Element, 2, DeviceSpace> y) {
  expect_shape("softmax output", y.shape(), x.shape());
  expect_contiguous_rows("softmax input", x);
  expect_contiguous_rows("softmax bias", bias);
  expect_contiguous_rows("softmax output", y);
  const bool biased = bias.data() != nullptr;
  if (biased &&
      (bias.extent(1) != x.extent(1) || bias.extent(0) <= 0 || x.extent(0) % bias.extent(0) != 0)) {
    throw ShapeError("a softmax's bias has shape " + to_string(bias.shape()) +
                     ", expected [a divisor of " + std::to_string(x.extent(0)) + ", " +
                     std::to_string(x.extent(1)) + "]");
  }
  if (x.extent(1) > kLongest || x.extent(0) > std::numeric_limits<int>::max()) {
    throw ShapeError("a softmax over " + to_string(x.shape()) + "; at most " +
                     std::to_string(std::numeric_limits<int>::max()) + " rows of " +
                     std::to_string(kLongest) + " are expected");
  }
  if (x.empty()) return;
  const SoftmaxRows<Element> rows{.x = x.data(),
                                  .bias = bias.data(),
                                  .y = y.data(),
                                  .x_stride = x.stride(0),
                                  .bias_stride = bias.stride(0),
                                  .y_stride = y.stride(0),
                                  .rows = x.extent(0),
                                  .bias_rows = bias.extent(0),
                                  .columns = static_cast<int>(x.extent(1)),
                                  .scale = scale * kLog2E};
  constexpr std::size_t kBytes = device::kVectorBytes;
  if (device::rows_aligned(x, kBytes) && device::rows_aligned(y, kBytes) &&
      (!biased || device::rows_aligned(bias, kBytes))) {
    launch_softmax<Element, device::kVectorElements<Element>>(stream, rows);
  } else {
    launch_softmax<Element, 1>(stream, rows);
  }
}

template <class Element>
void softmax(StreamView stream, const DeviceTraits& device,
             TensorView<const Element, 2, DeviceSpace> x, float scale,
             TensorView<Element, 2, DeviceSpace> y) {
  softmax(stream, device, x, scale, TensorView<const float, 2, DeviceSpace>(), y);
}

template void softmax(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                      float, TensorView<float, 2, DeviceSpace>);
template void softmax(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                      float, TensorView<const float, 2, DeviceSpace>,
                      TensorView<float, 2, DeviceSpace>);
template void softmax(StreamView, const DeviceTraits&, TensorView<const bfloat16, 2, DeviceSpace>,
                      float, TensorView<bfloat16, 2, DeviceSpace>);
template void softmax(StreamView, const DeviceTraits&, TensorView<const bfloat16, 2, DeviceSpace>,
                      float, TensorView<const float, 2, DeviceSpace>,
                      TensorView<bfloat16, 2, DeviceSpace>);
template void softmax(StreamView, const DeviceTraits&, TensorView<const float16, 2, DeviceSpace>,
                      float, TensorView<float16, 2, DeviceSpace>);
template void softmax(StreamView, const DeviceTraits&, TensorView<const float16, 2, DeviceSpace>,
                      float, TensorView<const float, 2, DeviceSpace>,
                      TensorView<float16, 2, DeviceSpace>);

}  // namespace crossfix::cuda
