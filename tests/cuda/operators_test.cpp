#include <catch2/catch.hpp>

#include "crossfix/cuda/convolution.hpp"
#include "crossfix/cuda/linear.hpp"
#include "cuda/device_tensor.hpp"
#include "cuda/subject.hpp"
#include "ops/subjects.hpp"

namespace crossfix::test {
namespace {

using ops::Activation;

/// Relative L2 error allowed: as for the CPU (ops/subjects.hpp); the table of a product is rounded
/// once more.
template <class Element>
constexpr double kTolerance = std::is_same_v<Element, float> ? 2e-6 : 0x1p-8;

template <class Element>
void compare_convolution(const ops::ConvolutionSpecification& spec, const Shape<4>& input) {
  CAPTURE(name_of(dtype_of<Element>), spec.kernel, spec.stride, spec.dilation, spec.residual);
  const Shape<4> shape = spec.output_shape(input);
  const auto fan_in = static_cast<float>(spec.in_channels * spec.kernel * spec.kernel);
  const auto weights = features_of<Element, 4>(
      "weights", {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel},
      1.0f / std::sqrt(fan_in));
  const auto bias = features("bias", Shape<1>{spec.out_channels});
  const auto x = features_of<Element>("x", input);
  const auto r = features_of<Element>("r", shape);
  ReferenceBackend::Context plain{{}, 0};
  Tensor<float, 4> expected(shape);
  const ReferenceBackend::Convolution reference({}, spec, weights, bias, input);
  spec.residual ? reference(plain, x, r, expected) : reference(plain, x, expected);

  const cuda::Target target = first_gpu();
  const cuda::Convolution<Element> convolution(target, spec, weights, bias, input);
  cuda::Context context(target, convolution.scratch_bytes());
  const DeviceTensor<Element, 4> device_x(target, x);
  const DeviceTensor<Element, 4> y(target, spec.residual ? r : expected);
  if (spec.residual) {
    convolution(context, device_x.view(), y.view(), y.view());  // in place
  } else {
    convolution(context, device_x.view(), y.view());
  }
  CHECK(relative_error<float, 4>(y.read(context), expected) <= kTolerance<Element>);
}

}  // namespace

TEMPLATE_TEST_CASE("A cuDNN convolution equals the reference", "[cuda]", float, bfloat16, float16) {
  CROSSFIX_NEED_GPU;
  compare_convolution<TestType>({.in_channels = 3,
                                 .out_channels = 16,
                                 .kernel = 7,
                                 .stride = 2,
                                 .padding = 3,
                                 .activation = Activation::relu},
                                {1, 32, 20, 3});
  compare_convolution<TestType>({.in_channels = 16,
                                 .out_channels = 24,
                                 .kernel = 3,
                                 .padding = 2,
                                 .dilation = 2,
                                 .activation = Activation::relu,
                                 .residual = true},
                                {2, 7, 9, 16});
  compare_convolution<TestType>({.in_channels = 24, .out_channels = 7, .residual = true},
                                {2, 7, 9, 24});
  compare_convolution<TestType>({.in_channels = 8, .out_channels = 8, .stride = 2}, {1, 8, 8, 8});
}

TEMPLATE_TEST_CASE("A cuBLASLt product equals the reference", "[cuda]", (std::pair<float, float>),
                   (std::pair<bfloat16, bfloat16>), (std::pair<bfloat16, float>),
                   (std::pair<float16, float16>), (std::pair<float16, float>)) {
  CROSSFIX_NEED_GPU;
  using Element = typename TestType::first_type;
  using Out = typename TestType::second_type;
  for (const Index tokens : {1, 10, 30}) {
    for (const Activation activation : {Activation::none, Activation::relu}) {
      const ops::LinearSpecification spec{30, 40, 24, activation};
      CAPTURE(name_of(dtype_of<Element>), name_of(dtype_of<Out>), tokens);
      const auto weights = features_of<Element, 2>("weights", {24, 40}, 0.15f);
      const auto table = features_of<Out, 2>("table", {tokens, 24});
      const auto x = features_of<Element, 2>("x", {30, 40});
      ReferenceBackend::Context plain{{}, 0};
      Tensor<float, 2> expected({30, 24});
      ReferenceBackend::Linear({}, spec, weights, table)(plain, x, expected);

      const cuda::Target target = first_gpu();
      const cuda::Linear<Element, Out> linear(target, spec, weights, table);
      cuda::Context context(target, linear.scratch_bytes());
      const DeviceTensor<Element, 2> wide_x(target, features("wide", Shape<2>{30, 64}));
      const DeviceTensor<Element, 2> dense_x(target, x);
      const DeviceTensor<Out, 2> y(target, Shape<2>{30, 24});
      linear(context, dense_x.view(), y.view());
      CHECK(relative_error<float, 2>(y.read(context), expected) <= kTolerance<Out>);

      const DeviceTensor<Out, 2> wide_y(target, features("wide", Shape<2>{30, 48}));
      linear(context, dense_x.view(), wide_y.view().slice(1, 16, 40));
      const auto values = wide_y.read(context);
      CHECK(relative_error<float, 2>(std::as_const(values).view().slice(1, 16, 40), expected) <=
            kTolerance<Out>);
      // A slice whose rows begin where loads cannot: refused.
      REQUIRE_THROWS_AS(linear(context, wide_x.const_view().slice(1, 1, 41), y.view()), ShapeError);
    }
  }
}

}  // namespace crossfix::test
