#include <algorithm>
#include <limits>
#include <numeric>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/elementwise.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/elementwise/elementwise.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

/// Largest number of blocks along the second axis of a grid.
constexpr Index kMostBlocks = 65535;

/// Number of blocks that a multiprocessor runs concurrently.
constexpr Index kBlocksPerMultiprocessor = 8;

template <class Element, int kWidth>
void launch_round(StreamView stream, TensorView<const float, 2, DeviceSpace> x,
                  TensorView<Element, 2, DeviceSpace> z) {
  const Index across = ceil_div<Index>(x.extent(1), kElementwiseThreads * kWidth);
  const dim3 blocks(static_cast<unsigned>(across),
                    static_cast<unsigned>(std::min(x.extent(0), kMostBlocks)));
  device::launch(stream, {blocks, kElementwiseThreads, 0}, "round", round_rows<Element, kWidth>,
                 x.data(), x.stride(0), z.data(), z.stride(0), x.extent(0), x.extent(1));
}

template <class Element, int kWidth>
void launch_clip(StreamView stream, TensorView<Element, 2, DeviceSpace> y, float most) {
  const Index across = ceil_div<Index>(y.extent(1), kElementwiseThreads * kWidth);
  const dim3 blocks(static_cast<unsigned>(across),
                    static_cast<unsigned>(std::min(y.extent(0), kMostBlocks)));
  device::launch(stream, {blocks, kElementwiseThreads, 0}, "clip", clip_rows<Element, kWidth>,
                 y.data(), y.stride(0), y.extent(0), y.extent(1), most);
}

template <class Element, int kWidth>
void launch_epilogue(StreamView stream, const DeviceTraits& device, EpiloguePixels<Element> pixels,
                     Index elements, Index channels) {
  pixels.items = elements / kWidth;
  pixels.vectors = static_cast<int>(channels / kWidth);
  // The number of threads in the grid must be a multiple of the vectors of a pixel.
  const Index unit = pixels.vectors / std::gcd(pixels.vectors, kElementwiseThreads);
  const Index needed = ceil_div<Index>(pixels.items, kElementwiseThreads);
  const Index wanted = std::min(needed, kBlocksPerMultiprocessor * device.multiprocessors);
  const Index blocks = round_up_to(std::max<Index>(wanted, 1), unit);
  device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kElementwiseThreads, 0},
                 "bias_activation", epilogue_pixels<Element, kWidth>, pixels);
}

template <class Element>
void run_epilogue(StreamView stream, const DeviceTraits& device,
                  TensorView<const Element, 4, DeviceSpace> x,
                  TensorView<const Element, 4, DeviceSpace> r,
                  TensorView<const float, 1, DeviceSpace> bias, ops::Activation activation,
                  TensorView<Element, 4, DeviceSpace> y) {
  const Index channels = x.extent(3);
  expect_shape("bias", bias.shape(), {channels});
  expect_shape("biased output", y.shape(), x.shape());
  expect_contiguous("input to be biased", x);
  expect_contiguous("bias", bias);
  expect_contiguous("biased output", y);
  if (channels > std::numeric_limits<int>::max()) {
    throw ShapeError("a bias over " + std::to_string(channels) + " channels; less than 2^31 are " +
                     "expected");
  }
  if (x.empty()) return;
  const EpiloguePixels<Element> pixels{.x = x.data(),
                                       .r = r.data(),
                                       .y = y.data(),
                                       .bias = bias.data(),
                                       .items = 0,
                                       .vectors = 0,
                                       .limits = ops::limits_of(activation)};
  constexpr int kWidth = device::kVectorElements<Element>;
  const auto aligned = [](const void* p) { return device::aligned(p, device::kVectorBytes); };
  if (channels % kWidth == 0 && aligned(x.data()) && aligned(r.data()) && aligned(y.data()) &&
      aligned(bias.data())) {
    launch_epilogue<Element, kWidth>(stream, device, pixels, x.size(), channels);
  } else {
    launch_epilogue<Element, 1>(stream, device, pixels, x.size(), channels);
  }
}

}  // namespace

template <class Element>
void round(StreamView stream, const DeviceTraits&, TensorView<const float, 2, DeviceSpace> x,
           TensorView<Element, 2, DeviceSpace> z) {
  expect_shape("rounded output", z.shape(), x.shape());
  expect_contiguous_rows("rounding input", x);
  expect_contiguous_rows("rounded output", z);
  if (x.empty()) return;
  constexpr int kWidth = device::kVectorElements<Element>;
  if (device::rows_aligned(x, device::kVectorBytes) &&
      device::rows_aligned(z, device::kVectorBytes)) {
    launch_round<Element, kWidth>(stream, x, z);
  } else {
    launch_round<Element, 1>(stream, x, z);
  }
}

template <class Element>
void clip(StreamView stream, const DeviceTraits&, TensorView<Element, 2, DeviceSpace> y,
          float most) {
  expect_contiguous_rows("clipped values", y);
  if (y.empty()) return;
  if (device::rows_aligned(y, device::kVectorBytes)) {
    launch_clip<Element, device::kVectorElements<Element>>(stream, y, most);
  } else {
    launch_clip<Element, 1>(stream, y, most);
  }
}

template <class Element>
void copy(StreamView stream, const DeviceTraits& device,
          TensorView<const Element, 4, DeviceSpace> x, TensorView<Element, 4, DeviceSpace> y) {
  expect_shape("copy", y.shape(), x.shape());
  if (x.empty()) return;
  Copy<Element> parameters{
      .x = x.data(), .y = y.data(), .extent = {}, .x_stride = {}, .y_stride = {}};
  for (std::size_t axis = 0; axis < 4; ++axis) {
    parameters.extent[axis] = x.extent(axis);
    parameters.x_stride[axis] = x.stride(axis);
    parameters.y_stride[axis] = y.stride(axis);
  }
  const Index blocks = std::min(ceil_div<Index>(x.size(), kElementwiseThreads),
                                kBlocksPerMultiprocessor * device.multiprocessors);
  device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kElementwiseThreads, 0}, "copy",
                 copy_elements<Element>, parameters, x.size());
}

template <class Element>
void bias_activation(StreamView stream, const DeviceTraits& device,
                     TensorView<const Element, 4, DeviceSpace> x,
                     TensorView<const float, 1, DeviceSpace> bias, ops::Activation activation,
                     TensorView<Element, 4, DeviceSpace> y) {
  run_epilogue(stream, device, x, {}, bias, activation, y);
}

template <class Element>
void bias_residual_activation(StreamView stream, const DeviceTraits& device,
                              TensorView<const Element, 4, DeviceSpace> x,
                              TensorView<const Element, 4, DeviceSpace> r,
                              TensorView<const float, 1, DeviceSpace> bias,
                              ops::Activation activation, TensorView<Element, 4, DeviceSpace> y) {
  expect_shape("residual", r.shape(), x.shape());
  expect_contiguous("residual", r);
  run_epilogue(stream, device, x, r, bias, activation, y);
}

template <class Element>
void projection(StreamView stream, const DeviceTraits&, TensorView<const Element, 2, DeviceSpace> x,
                TensorView<const float, 2, DeviceSpace> weights,
                TensorView<const float, 1, DeviceSpace> bias, TensorView<float, 2, DeviceSpace> y) {
  const Index rows = x.extent(0);
  const Index out = weights.extent(0);
  const Index in = weights.extent(1);
  if (out < 1 || out > kProjectionOutputs || in > std::numeric_limits<int>::max() / 2) {
    throw ShapeError("a projection's weights have shape " + to_string(weights.shape()) +
                     ", expected [1 to " + std::to_string(kProjectionOutputs) + ", inputs]");
  }
  expect_shape("projection bias", bias.shape(), {out});
  expect_shape("projection input", x.shape(), {rows, in});
  expect_shape("projection output", y.shape(), {rows, out});
  expect_contiguous("projection weights", weights);
  expect_contiguous("projection bias", bias);
  expect_contiguous_rows("projection input", x);
  if (y.empty()) return;
  const ProjectionRows<Element> parameters{.x = x.data(),
                                           .weights = weights.data(),
                                           .bias = bias.data(),
                                           .y = y.data(),
                                           .rows = rows,
                                           .x_stride = x.stride(0),
                                           .y_stride = y.stride(0),
                                           .y_step = y.stride(1),
                                           .in = static_cast<int>(in),
                                           .out = static_cast<int>(out)};
  constexpr int kWidth = device::kVectorElements<Element>;
  constexpr int kOutputs = static_cast<int>(kProjectionOutputs);
  const Index blocks = ceil_div<Index>(rows, kElementwiseThreads / kWarp);
  const device::LaunchShape shape{dim3(static_cast<unsigned>(blocks)), kElementwiseThreads, 0};
  const bool wide = device::rows_aligned(x, device::kVectorBytes) &&
                    device::rows_aligned(weights, device::kVectorBytes);
  device::launch(
      stream, shape, "projection",
      wide ? project_rows<Element, kWidth, kOutputs> : project_rows<Element, 1, kOutputs>,
      parameters);
}

template void round(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<float, 2, DeviceSpace>);
template void clip(StreamView, const DeviceTraits&, TensorView<float, 2, DeviceSpace>, float);
template void copy(StreamView, const DeviceTraits&, TensorView<const float, 4, DeviceSpace>,
                   TensorView<float, 4, DeviceSpace>);
template void bias_activation(StreamView, const DeviceTraits&,
                              TensorView<const float, 4, DeviceSpace>,
                              TensorView<const float, 1, DeviceSpace>, ops::Activation,
                              TensorView<float, 4, DeviceSpace>);
template void bias_residual_activation(StreamView, const DeviceTraits&,
                                       TensorView<const float, 4, DeviceSpace>,
                                       TensorView<const float, 4, DeviceSpace>,
                                       TensorView<const float, 1, DeviceSpace>, ops::Activation,
                                       TensorView<float, 4, DeviceSpace>);
template void projection(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<float, 2, DeviceSpace>);
template void round(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<bfloat16, 2, DeviceSpace>);
template void clip(StreamView, const DeviceTraits&, TensorView<bfloat16, 2, DeviceSpace>, float);
template void copy(StreamView, const DeviceTraits&, TensorView<const bfloat16, 4, DeviceSpace>,
                   TensorView<bfloat16, 4, DeviceSpace>);
template void bias_activation(StreamView, const DeviceTraits&,
                              TensorView<const bfloat16, 4, DeviceSpace>,
                              TensorView<const float, 1, DeviceSpace>, ops::Activation,
                              TensorView<bfloat16, 4, DeviceSpace>);
template void bias_residual_activation(StreamView, const DeviceTraits&,
                                       TensorView<const bfloat16, 4, DeviceSpace>,
                                       TensorView<const bfloat16, 4, DeviceSpace>,
                                       TensorView<const float, 1, DeviceSpace>, ops::Activation,
                                       TensorView<bfloat16, 4, DeviceSpace>);
template void projection(StreamView, const DeviceTraits&,
                         TensorView<const bfloat16, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<float, 2, DeviceSpace>);
template void round(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<float16, 2, DeviceSpace>);
template void clip(StreamView, const DeviceTraits&, TensorView<float16, 2, DeviceSpace>, float);
template void copy(StreamView, const DeviceTraits&, TensorView<const float16, 4, DeviceSpace>,
                   TensorView<float16, 4, DeviceSpace>);
template void bias_activation(StreamView, const DeviceTraits&,
                              TensorView<const float16, 4, DeviceSpace>,
                              TensorView<const float, 1, DeviceSpace>, ops::Activation,
                              TensorView<float16, 4, DeviceSpace>);
template void bias_residual_activation(StreamView, const DeviceTraits&,
                                       TensorView<const float16, 4, DeviceSpace>,
                                       TensorView<const float16, 4, DeviceSpace>,
                                       TensorView<const float, 1, DeviceSpace>, ops::Activation,
                                       TensorView<float16, 4, DeviceSpace>);
template void projection(StreamView, const DeviceTraits&, TensorView<const float16, 2, DeviceSpace>,
                         TensorView<const float, 2, DeviceSpace>,
                         TensorView<const float, 1, DeviceSpace>,
                         TensorView<float, 2, DeviceSpace>);

}  // namespace crossfix::cuda
