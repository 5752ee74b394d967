#include <catch2/catch.hpp>

#include "ops/subjects.hpp"

namespace crossfix::test::convolution_test {
namespace {

using ops::Activation;
using Spec = ops::ConvolutionSpecification;

struct Case {
  Spec spec;
  Shape<4> input;
};

const Case kCases[] = {
    {{.in_channels = 3,
      .out_channels = 64,
      .kernel = 7,
      .stride = 2,
      .padding = 3,
      .activation = Activation::relu},
     {1, 32, 64, 3}},
    {{.in_channels = 64,
      .out_channels = 64,
      .kernel = 3,
      .padding = 1,
      .activation = Activation::relu},
     {1, 16, 16, 64}},
    {{.in_channels = 64, .out_channels = 256, .residual = true}, {2, 7, 13, 64}},
    {{.in_channels = 64, .out_channels = 256, .activation = Activation::relu, .residual = true},
     {1, 16, 8, 64}},
    {{.in_channels = 256, .out_channels = 64, .stride = 2}, {1, 16, 16, 256}},
    {{.in_channels = 24,
      .out_channels = 24,
      .kernel = 3,
      .stride = 2,
      .padding = 1,
      .activation = Activation::relu},
     {2, 17, 9, 24}},
    {{.in_channels = 7, .out_channels = 113, .kernel = 3, .padding = 2, .dilation = 2},
     {1, 13, 7, 7}},
    {{.in_channels = 113, .out_channels = 13, .kernel = 3, .padding = 1}, {1, 7, 5, 113}},
    {{.in_channels = 1, .out_channels = 1}, {1, 1, 1, 1}},
    {{.in_channels = 13, .out_channels = 7, .kernel = 3, .padding = 1, .residual = true},
     {1, 1, 1, 13}},
    {{.in_channels = 600, .out_channels = 7}, {1, 3, 5, 600}},
    {{.in_channels = 3,
      .out_channels = 32,
      .kernel = 3,
      .stride = 2,
      .padding = 1,
      .activation = Activation::relu6},
     {1, 23, 31, 3}},
    {{.in_channels = 16, .out_channels = 96, .activation = Activation::relu6}, {2, 13, 7, 16}},
    {{.in_channels = 64,
      .out_channels = 64,
      .kernel = 3,
      .padding = 1,
      .activation = Activation::relu6},
     {1, 16, 16, 64}},
    {{.in_channels = 40, .out_channels = 13, .activation = Activation::relu6, .residual = true},
     {1, 7, 5, 40}},
};

template <class Subject>
void compare(const Case& test) {
  using Element = typename Subject::Element;
  const Spec& spec = test.spec;
  const Shape<4> shape = spec.output_shape(test.input);
  const auto fan_in = static_cast<float>(spec.in_channels * spec.kernel * spec.kernel);
  const float deviation = spec.activation == Activation::relu6 ? 5.0f : 1.0f;  // some lie above 6
  const auto weights = features_of<Element, 4>(
      "weights", {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel},
      deviation / std::sqrt(fan_in));
  const auto bias = features("bias", Shape<1>{spec.out_channels});
  const auto x = features_of<Element>("x", test.input);
  const auto r = features_of<Element>("r", shape);

  ReferenceBackend::Context plain;
  Tensor<float, 4> expected(shape);
  const ReferenceBackend::Convolution reference({}, spec, weights, bias, test.input);
  spec.residual ? reference(plain, x, r, expected) : reference(plain, x, expected);

  const auto target = Subject::target();
  const typename Subject::Backend::Convolution convolution(target, spec, weights, bias, test.input);
  typename Subject::Backend::Context context(target, convolution.scratch_bytes());
  Memory<Subject, Element, 4> input(target, x);
  Memory<Subject, Element, 4> y(target, shape);
  if (!spec.residual) {
    convolution(context, input.view(), y.view());
    REQUIRE(relative_error(y.read(context), expected) <= Subject::kTolerance);
    return;
  }
  Memory<Subject, Element, 4> residual(target, r);
  convolution(context, input.view(), residual.view(), y.view());
  REQUIRE(relative_error(y.read(context), expected) <= Subject::kTolerance);
  convolution(context, input.view(), residual.view(), residual.view());  // in place
  REQUIRE(relative_error(residual.read(context), expected) <= Subject::kTolerance);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("A convolution equals the reference", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  for (const Case& test : kCases) {
    CAPTURE(TestType::name(), test.spec.in_channels, test.spec.out_channels, test.spec.kernel,
            test.spec.stride, test.spec.dilation, test.spec.residual, to_string(test.input));
    compare<TestType>(test);
  }
}

TEMPLATE_LIST_TEST_CASE("A convolution refuses what does not fit", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Convolution = typename TestType::Backend::Convolution;
  const Spec spec{.in_channels = 8, .out_channels = 4};
  const Tensor<float, 4> weights({4, 8, 1, 1});
  const Tensor<float, 1> bias({4});
  const auto target = TestType::target();
  REQUIRE_THROWS_AS(Convolution(target, spec, Tensor<float, 4>({4, 8, 3, 3}), bias, {1, 5, 5, 8}),
                    ShapeError);
  REQUIRE_THROWS_AS(Convolution(target, spec, weights, Tensor<float, 1>({5}), {1, 5, 5, 8}),
                    ShapeError);
  REQUIRE_THROWS_AS(Convolution(target, spec, weights, bias, {1, 5, 5, 7}), ShapeError);
  // The taps extend beyond the input by less than a step.
  REQUIRE_THROWS_AS(
      Convolution(target, {.in_channels = 8, .out_channels = 4, .kernel = 3, .stride = 2},
                  Tensor<float, 4>({4, 8, 3, 3}), bias, {1, 2, 5, 8}),
      ShapeError);

  const Convolution convolution(target, spec, weights, bias, {1, 5, 5, 8});
  typename TestType::Backend::Context context(target, convolution.scratch_bytes());
  Memory<TestType, Element, 4> x(target, Shape<4>{1, 5, 5, 8});
  Memory<TestType, Element, 4> r(target, Shape<4>{1, 5, 5, 4});
  Memory<TestType, Element, 4> y(target, Shape<4>{1, 5, 5, 4});
  Memory<TestType, Element, 4> wide(target, Shape<4>{1, 5, 5, 8});
  REQUIRE_THROWS_AS(convolution(context, x.view(), wide.view()), ShapeError);
  REQUIRE_THROWS_AS(convolution(context, r.view(), y.view()), ShapeError);
  // It has no residual.
  REQUIRE_THROWS_AS(convolution(context, x.view(), r.view(), y.view()), ShapeError);
  REQUIRE_THROWS_AS(convolution(context, x.view(), wide.view().slice(3, 0, 4)), ShapeError);
}

}  // namespace crossfix::test::convolution_test
