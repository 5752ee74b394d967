#include <algorithm>
#include <limits>
#include <numeric>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/depthwise.hpp"
#include "crossfix/kernels/depthwise/depthwise.cuh"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

/// Largest number of blocks along the second axis of a grid.
constexpr Index kMostBlocks = 65535;

/// Largest number of threads that an int can count, including the spare threads of the last block.
constexpr Index kMostItems = std::numeric_limits<int>::max() - kDepthwiseThreads;

template <class Element, DepthwiseTile kTile>
constexpr auto kColumnsKernel = depthwise_columns<Element, DepthwiseLayout<kTile>>;

template <class Element, int kWidth>
auto kernel_for(const Depthwise<Element>& d, int step) {
  if (d.kernel == 3 && step == 1) {
    return kColumnsKernel<Element, DepthwiseTile{.width = kWidth, .kernel = 3, .step = 1}>;
  }
  if (d.kernel == 3 && step == 2) {
    return kColumnsKernel<Element, DepthwiseTile{.width = kWidth, .kernel = 3, .step = 2}>;
  }
  if (d.kernel == 5 && step == 1) {
    return kColumnsKernel<Element, DepthwiseTile{.width = kWidth, .kernel = 5, .step = 1}>;
  }
  if (d.kernel == 5 && step == 2) {
    return kColumnsKernel<Element, DepthwiseTile{.width = kWidth, .kernel = 5, .step = 2}>;
  }
  return depthwise_any<Element, kWidth>;
}

template <class Element, int kWidth>
void launch_depthwise(StreamView stream, Depthwise<Element> d) {
  const int divisor = std::gcd(d.stride, d.dilation);
  const auto kernel = kernel_for<Element, kWidth>(d, d.stride / divisor);
  d.vectors = d.channels / kWidth;
  if (kernel == depthwise_any<Element, kWidth>) {
    d.groups = d.out_width;
  } else {
    d.apart = d.dilation / divisor;
    d.groups = ceil_div(d.out_width, d.apart * kDepthwiseColumns) * d.apart;
  }
  const Index items = Index{d.out_height} * d.groups * d.vectors;
  if (items > kMostItems) {
    throw ShapeError("a depthwise convolution of " + std::to_string(d.out_height) + " x " +
                     std::to_string(d.out_width) + " pixels of " + std::to_string(d.channels) +
                     " channels; less than 2^31 threads are expected for an image");
  }
  d.items = static_cast<int>(items);
  const dim3 blocks(static_cast<unsigned>(ceil_div<Index>(items, kDepthwiseThreads)),
                    static_cast<unsigned>(std::min(d.images, kMostBlocks)));
  device::launch(stream, {blocks, kDepthwiseThreads, 0}, "depthwise_convolution", kernel, d);
}

/// Throws ShapeError unless positions along an axis, in columns and in elements, fit an int.
void expect_ints(const ops::DepthwiseConvolutionSpecification& spec, const Shape<4>& from) {
  constexpr Index kMost = std::numeric_limits<int>::max() / 16;
  const Index padded = std::max(from[1], from[2]) + 2 * spec.padding;
  if (padded > kMost || spec.stride > kMost || spec.dilation > kMost ||
      spec.channels > kMost / std::max({padded, spec.kernel * spec.kernel, Index{1}})) {
    throw ShapeError("a depthwise convolution of " + to_string(from) +
                     "; rows of less than 2^27 elements are expected, padding included");
  }
}

}  // namespace

template <class Element>
void depthwise_convolution(StreamView stream, const DeviceTraits&,
                           const ops::DepthwiseConvolutionSpecification& spec,
                           TensorView<const Element, 4, DeviceSpace> x,
                           TensorView<const Element, 3, DeviceSpace> weights,
                           TensorView<const float, 1, DeviceSpace> bias,
                           TensorView<Element, 4, DeviceSpace> y) {
  if (spec.kernel < 1 || spec.stride < 1 || spec.dilation < 1 || spec.padding < 0) {
    throw ShapeError("a depthwise convolution's extents must be positive");
  }
  const Shape<4>& from = x.shape();
  const Shape<4> to = spec.output_shape(from);
  expect_shape("depthwise input", from, {from[0], from[1], from[2], spec.channels});
  expect_shape("depthwise weights", weights.shape(), {spec.kernel, spec.kernel, spec.channels});
  expect_shape("depthwise bias", bias.shape(), {spec.channels});
  expect_shape("depthwise output", y.shape(), to);
  expect_contiguous("depthwise input", x);
  expect_contiguous("depthwise weights", weights);
  expect_contiguous("depthwise bias", bias);
  expect_contiguous("depthwise output", y);
  expect_ints(spec, from);
  if (y.empty()) return;
  const Depthwise<Element> d{.x = x.data(),
                             .weights = weights.data(),
                             .bias = bias.data(),
                             .y = y.data(),
                             .images = to[0],
                             .height = static_cast<int>(from[1]),
                             .width = static_cast<int>(from[2]),
                             .channels = static_cast<int>(spec.channels),
                             .out_height = static_cast<int>(to[1]),
                             .out_width = static_cast<int>(to[2]),
                             .kernel = static_cast<int>(spec.kernel),
                             .stride = static_cast<int>(spec.stride),
                             .padding = static_cast<int>(spec.padding),
                             .dilation = static_cast<int>(spec.dilation),
                             .apart = 1,
                             .groups = 0,
                             .vectors = 0,
                             .items = 0,
                             .limits = ops::limits_of(spec.activation)};
  constexpr int kWidth = device::kVectorElements<Element>;
  const auto aligned = [](const void* p) { return device::aligned(p, device::kVectorBytes); };
  if (spec.channels % kWidth == 0 && aligned(x.data()) && aligned(weights.data()) &&
      aligned(bias.data()) && aligned(y.data())) {
    launch_depthwise<Element, kWidth>(stream, d);
  } else {
    launch_depthwise<Element, 1>(stream, d);
  }
}

template void depthwise_convolution(StreamView, const DeviceTraits&,
                                    const ops::DepthwiseConvolutionSpecification&,
                                    TensorView<const float, 4, DeviceSpace>,
                                    TensorView<const float, 3, DeviceSpace>,
                                    TensorView<const float, 1, DeviceSpace>,
                                    TensorView<float, 4, DeviceSpace>);
template void depthwise_convolution(StreamView, const DeviceTraits&,
                                    const ops::DepthwiseConvolutionSpecification&,
                                    TensorView<const bfloat16, 4, DeviceSpace>,
                                    TensorView<const bfloat16, 3, DeviceSpace>,
                                    TensorView<const float, 1, DeviceSpace>,
                                    TensorView<bfloat16, 4, DeviceSpace>);
template void depthwise_convolution(StreamView, const DeviceTraits&,
                                    const ops::DepthwiseConvolutionSpecification&,
                                    TensorView<const float16, 4, DeviceSpace>,
                                    TensorView<const float16, 3, DeviceSpace>,
                                    TensorView<const float, 1, DeviceSpace>,
                                    TensorView<float16, 4, DeviceSpace>);

}  // namespace crossfix::cuda
