#include <catch2/catch.hpp>

#include "ops/subjects.hpp"

namespace crossfix::test::depthwise_test {
namespace {

using ops::Activation;
using Spec = ops::DepthwiseConvolutionSpecification;

struct Case {
  Spec spec;
  Shape<4> input;
};

/// The layers of EfficientNet-Lite0's first stages, smaller; then every awkward extent separately.
const Case kCases[] = {
    {{.channels = 32, .kernel = 3, .padding = 1, .activation = Activation::relu6}, {1, 23, 31, 32}},
    {{.channels = 96, .kernel = 3, .stride = 2, .padding = 1, .activation = Activation::relu6},
     {1, 31, 24, 96}},
    {{.channels = 144, .kernel = 5, .stride = 2, .padding = 2, .activation = Activation::relu6},
     {2, 17, 16, 144}},
    {{.channels = 240, .kernel = 5, .padding = 4, .dilation = 2, .activation = Activation::relu6},
     {1, 13, 11, 240}},
    {{.channels = 240, .kernel = 3, .padding = 2, .dilation = 2, .activation = Activation::relu},
     {3, 7, 9, 240}},
    {{.channels = 40, .kernel = 3, .stride = 2, .padding = 2, .dilation = 2}, {1, 12, 15, 40}},
    {{.channels = 1, .kernel = 3, .padding = 1}, {1, 7, 31, 1}},
    {{.channels = 7, .kernel = 5, .padding = 2, .activation = Activation::relu6}, {3, 1, 7, 7}},
    {{.channels = 113, .kernel = 3, .stride = 2, .padding = 1}, {1, 9, 8, 113}},
    {{.channels = 24, .kernel = 5, .padding = 4, .dilation = 2}, {1, 1, 1, 24}},
    {{.channels = 8, .kernel = 3}, {1, 5, 7, 8}},
    {{.channels = 8, .kernel = 1, .activation = Activation::relu}, {1, 3, 5, 8}},
    // Kernels, strides and dilations that none of our networks has.
    {{.channels = 24, .kernel = 7, .padding = 3}, {1, 9, 10, 24}},
    {{.channels = 16, .kernel = 2, .stride = 3}, {1, 8, 10, 16}},
    {{.channels = 16, .kernel = 3, .padding = 3, .dilation = 3}, {1, 8, 10, 16}},
    {{.channels = 16, .kernel = 3, .stride = 3, .padding = 2, .dilation = 2}, {1, 10, 13, 16}},
};

template <class Subject>
void compare(const Case& test) {
  using Element = typename Subject::Element;
  const Spec& spec = test.spec;
  const Shape<4> shape = spec.output_shape(test.input);
  // Sums of four times the unit, so that some exceed 6.
  const auto weights = features_of<Element, 3>("weights", {spec.channels, spec.kernel, spec.kernel},
                                               4.0f / static_cast<float>(spec.kernel));
  const auto bias = features("bias", Shape<1>{spec.channels});
  const auto x = features_of<Element>("x", test.input);

  ReferenceBackend::Context plain;
  Tensor<float, 4> expected(shape);
  ReferenceBackend::DepthwiseConvolution({}, spec, weights, bias, test.input)(plain, x, expected);

  for (const auto& target : Subject::targets()) {
    const typename Subject::Backend::DepthwiseConvolution depthwise(target, spec, weights, bias,
                                                                    test.input);
    typename Subject::Backend::Context context(target, depthwise.scratch_bytes());
    Memory<Subject, Element, 4> input(target, x);
    Memory<Subject, Element, 4> y(target, marked(shape));
    depthwise(context, input.view(), y.view());
    REQUIRE(relative_error(y.read(context), expected) <= Subject::kTolerance);
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("A depthwise convolution equals the reference", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  for (const Case& test : kCases) {
    CAPTURE(TestType::name(), test.spec.channels, test.spec.kernel, test.spec.stride,
            test.spec.padding, test.spec.dilation, to_string(test.input));
    compare<TestType>(test);
  }
}

TEMPLATE_LIST_TEST_CASE("A depthwise convolution refuses what does not fit", "[ops]",
                        MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Depthwise = typename TestType::Backend::DepthwiseConvolution;
  const Spec spec{.channels = 8, .kernel = 3, .padding = 1};
  const Tensor<float, 3> weights({8, 3, 3});
  const Tensor<float, 1> bias({8});
  const auto target = TestType::target();
  REQUIRE_THROWS_AS(Depthwise(target, spec, Tensor<float, 3>({8, 3, 5}), bias, {1, 5, 5, 8}),
                    ShapeError);
  REQUIRE_THROWS_AS(Depthwise(target, spec, weights, Tensor<float, 1>({7}), {1, 5, 5, 8}),
                    ShapeError);
  REQUIRE_THROWS_AS(Depthwise(target, spec, weights, bias, {1, 5, 5, 7}), ShapeError);
  REQUIRE_THROWS_AS(Depthwise(target, spec, weights, bias, {0, 5, 5, 8}), ShapeError);
  REQUIRE_THROWS_AS(
      Depthwise(target, {.channels = 8, .kernel = 3, .stride = 0}, weights, bias, {1, 5, 5, 8}),
      ShapeError);
  // The taps extend beyond the padded input; at stride 2 by less than a step.
  REQUIRE_THROWS_AS(
      Depthwise(target, {.channels = 8, .kernel = 3, .stride = 2}, weights, bias, {1, 2, 5, 8}),
      ShapeError);

  const Depthwise depthwise(target, spec, weights, bias, {1, 5, 5, 8});
  typename TestType::Backend::Context context(target, depthwise.scratch_bytes());
  Memory<TestType, Element, 4> x(target, Shape<4>{1, 5, 5, 8});
  Memory<TestType, Element, 4> y(target, Shape<4>{1, 5, 5, 8});
  Memory<TestType, Element, 4> wide(target, Shape<4>{1, 5, 5, 16});
  Memory<TestType, Element, 4> tall(target, Shape<4>{1, 6, 5, 8});
  REQUIRE_THROWS_AS(depthwise(context, tall.view(), y.view()), ShapeError);
  REQUIRE_THROWS_AS(depthwise(context, x.view(), tall.view()), ShapeError);
  REQUIRE_THROWS_AS(depthwise(context, x.view(), wide.view().slice(3, 0, 8)), ShapeError);
  REQUIRE_THROWS_AS(depthwise(context, wide.view().slice(3, 0, 8), y.view()), ShapeError);
}

}  // namespace crossfix::test::depthwise_test
