#include "crossfix/cuda/depthwise.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/rows.hpp"
#include "support/counter_generator.hpp"
#include "support/reference_backend.hpp"

namespace crossfix::test::depthwise_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
using Spec = ops::DepthwiseConvolutionSpecification;

/// Runs the kernel on tensors that begin `start` elements after a 16-byte boundary. Returns the
/// largest error as a share of the tolerance.
template <class Element>
double worst_error(const Spec& spec, const Shape<4>& input, Index start) {
  const Shape<4> output = spec.output_shape(input);
  const auto row = [start](Index size) { return Rows<Element>(1, size, size, start); };
  Rows<Element> x = row(element_count(input));
  Rows<Element> y = row(element_count(output));
  Rows<Element> weights = row(spec.kernel * spec.kernel * spec.channels);
  Rows<float> bias(1, spec.channels, spec.channels, start);
  // Sums of four times the unit, so that some exceed 6. The reference uses the rounded values.
  Tensor<float, 4> values = features("x", input);
  Tensor<float, 3> w = features("weights", Shape<3>{spec.channels, spec.kernel, spec.kernel});
  const Tensor<float, 1> b = features("bias", Shape<1>{spec.channels});
  for (Index i = 0; i < values.size(); ++i) {
    x(0, i) = Element(values.data()[i]);
    values.data()[i] = static_cast<float>(x(0, i));
  }
  const Index taps = spec.kernel * spec.kernel;
  for (Index i = 0; i < w.size(); ++i) {
    Element& weight = weights(0, i % taps * spec.channels + i / taps);
    weight = Element(w.data()[i] * 4.0f / static_cast<float>(spec.kernel));
    w.data()[i] = static_cast<float>(weight);
  }
  for (Index c = 0; c < spec.channels; ++c) bias(0, c) = b(c);

  ReferenceBackend::Context plain;
  Tensor<float, 4> expected(output);
  ReferenceBackend::DepthwiseConvolution({}, spec, w, b, input)(plain, values, expected);
  // The size of the sums: the same with absolute values.
  Tensor<float, 4> sizes(output);
  for (Index i = 0; i < values.size(); ++i) values.data()[i] = std::abs(values.data()[i]);
  for (Index i = 0; i < w.size(); ++i) w.data()[i] = std::abs(w.data()[i]);
  Tensor<float, 1> size_of_bias({spec.channels});
  for (Index c = 0; c < spec.channels; ++c) size_of_bias(c) = std::abs(b(c));
  Spec unlimited = spec;
  unlimited.activation = ops::Activation::none;
  ReferenceBackend::DepthwiseConvolution({}, unlimited, w, size_of_bias, input)(plain, values,
                                                                                sizes);

  cuda::depthwise_convolution<Element>(
      Machine::stream(), Machine::device(), spec, x.const_device()[0].reshape(input),
      weights.const_device()[0].reshape(Shape<3>{spec.kernel, spec.kernel, spec.channels}),
      bias.const_vector(), y.device()[0].reshape(output));
  y.fetch();
  double worst = y.marks_hold() ? 0.0 : std::numeric_limits<double>::infinity();
  for (Index i = 0; i < expected.size(); ++i) {
    // One rounding for each product of the chain, for the bias and for the expected value; then
    // that of the result.
    const double sum = std::abs(static_cast<double>(expected.data()[i]));
    const double allowed =
        static_cast<double>(taps + 2) * 0x1p-24 * static_cast<double>(sizes.data()[i]) +
        kRounding<Element> * sum + kSmallest<Element>;
    worst = worse(worst, error_share(y(0, i), static_cast<double>(expected.data()[i]), allowed));
  }
  return worst;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Depthwise kernel: any extents, strides and dilations", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  const auto check = [&seed](const Spec& spec, const Shape<4>& input) {
    CAPTURE(spec.channels, spec.kernel, spec.stride, spec.padding, spec.dilation, to_string(input));
    Machine::set_seed(++seed);
    REQUIRE(worst_error<TestType>(spec, input, static_cast<Index>(seed % 4 == 0)) <= 1.0);
  };
  for (const Index channels : {1, 8, 24, 40, 96}) {
    for (const Index kernel : {3, 5}) {
      for (const Index stride : {1, 2}) {
        for (const Index dilation : {1, 2}) {
          const Spec spec{.channels = channels,
                          .kernel = kernel,
                          .stride = stride,
                          .padding = dilation * (kernel / 2),
                          .dilation = dilation,
                          .activation = ops::Activation::relu6};
          check(spec, {1, 7, 31, channels});
          check(spec, {3, 1, 7, channels});
          check(spec, {1, 31, 1, channels});
        }
      }
    }
  }
  // Without padding; and the cases that are left to the kernel for any extents.
  check({.channels = 24, .kernel = 3}, {1, 5, 9, 24});
  check({.channels = 24, .kernel = 3, .padding = 3, .dilation = 3}, {1, 6, 17, 24});
  check({.channels = 24, .kernel = 1, .activation = ops::Activation::relu}, {1, 3, 5, 24});
  check({.channels = 24, .kernel = 7, .padding = 3}, {1, 9, 10, 24});
  check({.channels = 7, .kernel = 2, .stride = 3}, {2, 8, 10, 7});
  check({.channels = 8, .kernel = 3, .stride = 3, .padding = 2, .dilation = 2}, {1, 10, 13, 8});
}

TEST_CASE("Depthwise kernel: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  float memory[512] = {};
  const Spec spec{.channels = 4, .kernel = 3, .padding = 1};
  const auto run = [&](const Shape<4>& x, const Shape<3>& w, const Shape<1>& b, const Shape<4>& y) {
    cuda::depthwise_convolution<float>(Machine::stream(), kH200, spec, {memory, x}, {memory, w},
                                       {memory, b}, {memory, y});
  };
  CHECK_THROWS_AS(run({1, 4, 4, 8}, {3, 3, 4}, {4}, {1, 4, 4, 4}), ShapeError);
  CHECK_THROWS_AS(run({1, 4, 4, 4}, {4, 3, 3}, {4}, {1, 4, 4, 4}), ShapeError);
  CHECK_THROWS_AS(run({1, 4, 4, 4}, {3, 3, 4}, {3}, {1, 4, 4, 4}), ShapeError);
  CHECK_THROWS_AS(run({1, 4, 4, 4}, {3, 3, 4}, {4}, {1, 4, 3, 4}), ShapeError);
  const TensorView<const float, 4, DeviceSpace> wide(memory, {1, 4, 4, 8});
  CHECK_THROWS_AS(cuda::depthwise_convolution<float>(Machine::stream(), kH200, spec,
                                                     wide.slice(3, 0, 4), {memory, {3, 3, 4}},
                                                     {memory, {4}}, {memory, {1, 4, 4, 4}}),
                  ShapeError);
  Spec still = spec;
  still.stride = 0;
  CHECK_THROWS_AS(cuda::depthwise_convolution<float>(Machine::stream(), kH200, still,
                                                     {memory, {1, 4, 4, 4}}, {memory, {3, 3, 4}},
                                                     {memory, {4}}, {memory, {1, 4, 4, 4}}),
                  ShapeError);
  // Positions in a row must be ints.
  CHECK_THROWS_AS(run({1, 1, Index{1} << 26, 4}, {3, 3, 4}, {4}, {1, 1, Index{1} << 26, 4}),
                  ShapeError);
}

}  // namespace crossfix::test::depthwise_test
