#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/layer_norm.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/norm/layer_norm.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

template <class Element, int kWidth, int kSlots>
void launch_warp(StreamView stream, const NormRows<Element>& rows) {
  const Index blocks = ceil_div<Index>(rows.rows, kNormWarpThreads / kWarp);
  device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kNormWarpThreads, 0}, "layer_norm",
                 layer_norm_warp<Element, kWidth, kSlots>, rows);
}

template <class Element, int kWidth>
void launch_norm(StreamView stream, const NormRows<Element>& rows) {
  // The smallest number of slots that holds a row in a warp's registers.
  constexpr int kMost = kNormFloats / kWidth;
  const auto held = [&](int slots) { return rows.channels <= kWarp * kWidth * slots; };
  if (held(kMost / 4)) return launch_warp<Element, kWidth, kMost / 4>(stream, rows);
  if (held(kMost / 2)) return launch_warp<Element, kWidth, kMost / 2>(stream, rows);
  if (held(kMost)) return launch_warp<Element, kWidth, kMost>(stream, rows);
  const int warps = ceil_div(rows.channels, kWarp * kNormFloats);
  device::launch(stream,
                 {dim3(static_cast<unsigned>(rows.rows)), static_cast<unsigned>(warps * kWarp),
                  kNormSharedBytes},
                 "layer_norm", layer_norm_block<Element, kWidth, kMost>, rows);
}

}  // namespace

template <class Element>
void layer_norm(StreamView stream, const DeviceTraits&, TensorView<const float, 2, DeviceSpace> x,
                TensorView<const float, 2, DeviceSpace> r,
                TensorView<const float, 1, DeviceSpace> scale,
                TensorView<const float, 1, DeviceSpace> shift, float epsilon,
                TensorView<float, 2, DeviceSpace> y, TensorView<Element, 2, DeviceSpace> z) {
  static_assert(kLayerNormChannels == kNormBlockThreads * kNormFloats);
  const bool added = r.data() != nullptr;
  if (scale.empty() || scale.extent(0) > kLayerNormChannels ||
      x.extent(0) > std::numeric_limits<int>::max()) {
    throw ShapeError("a LayerNorm of " + std::to_string(x.extent(0)) + " rows over " +
                     std::to_string(scale.extent(0)) + " channels; 1 to " +
                     std::to_string(kLayerNormChannels) + " channels are expected");
  }
  expect_shape("LayerNorm shift", shift.shape(), scale.shape());
  expect_shape("LayerNorm input", x.shape(), {x.extent(0), scale.extent(0)});
  if (added) expect_shape("LayerNorm residual", r.shape(), x.shape());
  expect_shape("LayerNorm output", y.shape(), x.shape());
  expect_shape("LayerNorm rounded output", z.shape(), x.shape());
  expect_contiguous("LayerNorm scale", scale);
  expect_contiguous("LayerNorm shift", shift);
  expect_contiguous_rows("LayerNorm input", x);
  expect_contiguous_rows("LayerNorm residual", r);
  expect_contiguous_rows("LayerNorm output", y);
  expect_contiguous_rows("LayerNorm rounded output", z);
  if (x.empty()) return;
  const NormRows<Element> rows{.x = x.data(),
                               .r = r.data(),
                               .y = y.data(),
                               .z = z.data(),
                               .x_stride = x.stride(0),
                               .r_stride = r.stride(0),
                               .y_stride = y.stride(0),
                               .z_stride = z.stride(0),
                               .rows = x.extent(0),
                               .scale = scale.data(),
                               .shift = shift.data(),
                               .channels = static_cast<int>(scale.extent(0)),
                               .epsilon = epsilon};
  constexpr int kWidth = device::kVectorElements<float>;
  constexpr std::size_t kBytes = device::kVectorBytes;
  if (device::rows_aligned(x, kBytes) && (!added || device::rows_aligned(r, kBytes)) &&
      device::rows_aligned(y, kBytes) && device::rows_aligned(z, kWidth * sizeof(Element)) &&
      device::aligned(scale.data(), kBytes) && device::aligned(shift.data(), kBytes)) {
    launch_norm<Element, kWidth>(stream, rows);
  } else {
    launch_norm<Element, 1>(stream, rows);
  }
}

template <class Element>
void layer_norm(StreamView stream, const DeviceTraits& device,
                TensorView<const float, 2, DeviceSpace> x,
                TensorView<const float, 1, DeviceSpace> scale,
                TensorView<const float, 1, DeviceSpace> shift, float epsilon,
                TensorView<float, 2, DeviceSpace> y, TensorView<Element, 2, DeviceSpace> z) {
  layer_norm(stream, device, x, {}, scale, shift, epsilon, y, z);
}

template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<float, 2, DeviceSpace>);
template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<float, 2, DeviceSpace>);
template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<bfloat16, 2, DeviceSpace>);
template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<bfloat16, 2, DeviceSpace>);
template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<float16, 2, DeviceSpace>);
template void layer_norm(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>, float,
                         TensorView<float, 2, DeviceSpace>, TensorView<float16, 2, DeviceSpace>);

}  // namespace crossfix::cuda
