#include <catch2/catch.hpp>

#include "ops/subjects.hpp"

namespace crossfix::test::linear_test {
namespace {

using ops::Activation;
using Spec = ops::LinearSpecification;

struct Case {
  Spec spec;
  Index table_rows;
};

const Case kCases[] = {
    {{.rows = 1, .in_features = 1, .out_features = 1}, 1},
    {{.rows = 7, .in_features = 13, .out_features = 64}, 7},
    {{.rows = 64, .in_features = 256, .out_features = 256, .activation = Activation::relu}, 1},
    {{.rows = 113, .in_features = 64, .out_features = 600}, 113},
    {{.rows = 226, .in_features = 128, .out_features = 384}, 113},
    {{.rows = 600, .in_features = 256, .out_features = 768}, 600},
    {{.rows = 13, .in_features = 600, .out_features = 7, .activation = Activation::relu}, 13},
    {{.rows = 39, .in_features = 113, .out_features = 113}, 13},
    {{.rows = 7, .in_features = 13, .out_features = 64, .activation = Activation::relu6}, 1},
    {{.rows = 26, .in_features = 64, .out_features = 113, .activation = Activation::relu6}, 13},
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("A matrix product equals the reference, with gaps or without", "[ops]",
                        MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  constexpr Index kGap = TestType::kGap;
  for (const auto& [spec, table_rows] : kCases) {
    CAPTURE(TestType::name(), spec.rows, spec.in_features, spec.out_features, table_rows);
    const auto target = TestType::target();
    const float deviation = spec.activation == Activation::relu6 ? 5.0f : 1.0f;  // some lie above 6
    const auto weights =
        features_of<Element, 2>("weights", {spec.out_features, spec.in_features},
                                deviation / std::sqrt(static_cast<float>(spec.in_features)));
    const auto table = features("table", Shape<2>{table_rows, spec.out_features});
    // Wider than the product: its rows have gaps.
    const auto x = features_of<Element, 2>("x", {spec.rows, spec.in_features + 3 * kGap});
    const auto inner = [in = spec.in_features](const auto& view) {
      return view.slice(1, 2 * kGap, 2 * kGap + in);
    };
    Memory<TestType, Element, 2> wide_x(target, x);

    ReferenceBackend::Context plain;
    Tensor<float, 2> expected({spec.rows, spec.out_features});
    ReferenceBackend::Linear({}, spec, weights, table)(plain, inner(x.view()), expected);

    const typename Backend::Linear linear(target, spec, weights, table);
    typename Backend::Context context(target, linear.scratch_bytes());
    Memory<TestType, Element, 2> wide_y(target,
                                        marked(Shape<2>{spec.rows, spec.out_features + 2 * kGap}));
    const auto gapped_y = wide_y.view().slice(1, kGap, kGap + spec.out_features);
    linear(context, inner(wide_x.view()), gapped_y);
    const auto y = wide_y.read(context);
    REQUIRE(relative_error<float, 2>(y.view().slice(1, kGap, kGap + spec.out_features), expected) <=
            TestType::kTolerance);
    for (Index row = 0; row < spec.rows; ++row) {  // the contents of the gaps stay
      for (Index g = 0; g < kGap; ++g) {
        REQUIRE(y(row, g) == kMark);
        REQUIRE(y(row, kGap + spec.out_features + g) == kMark);
      }
    }

    Tensor<float, 2> dense({spec.rows, spec.in_features});
    for (Index i = 0; i < dense.size(); ++i) dense.data()[i] = element_at(inner(x.view()), i);
    Memory<TestType, Element, 2> dense_x(target, dense);
    Memory<TestType, Element, 2> dense_y(target, expected.shape());
    linear(context, dense_x.view(), dense_y.view());
    REQUIRE(relative_error(dense_y.read(context), expected) <= TestType::kTolerance);

    // Inputs and weights are exact in `Element`, sums are in float, and so is this result.
    const typename Backend::FloatLinear exact(target, spec, weights, table);
    typename Backend::Context exact_context(target, exact.scratch_bytes());
    Memory<TestType, float, 2> float_y(target, expected.shape());
    exact(exact_context, inner(wide_x.view()), float_y.view());
    REQUIRE(relative_error(float_y.read(exact_context), expected) <= 2e-6);
  }
}

TEMPLATE_LIST_TEST_CASE("An operator made for one target runs on another", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const Spec spec{.rows = 113, .in_features = 64, .out_features = 96};
  const auto weights = features_of<Element, 2>("weights", {96, 64}, 0.125f);
  const auto table = features("table", Shape<2>{1, 96});
  const auto x = features_of<Element, 2>("x", {113, 64});
  ReferenceBackend::Context plain;
  Tensor<float, 2> expected({113, 96});
  ReferenceBackend::Linear({}, spec, weights, table)(plain, x, expected);
  for (const auto& prepared : TestType::targets()) {
    const typename Backend::Linear linear(prepared, spec, weights, table);
    for (const auto& used : TestType::targets()) {
      typename Backend::Context context(used, linear.scratch_bytes());
      Memory<TestType, Element, 2> input(used, x);
      Memory<TestType, Element, 2> y(used, expected.shape());
      linear(context, input.view(), y.view());
      REQUIRE(relative_error(y.read(context), expected) <= TestType::kTolerance);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A projection gives floats", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  for (Index in : {1, 7, 64, 113, 256}) {
    for (Index out : {1, 2}) {
      CAPTURE(TestType::name(), in, out);
      const auto weights = features("weights", Shape<2>{out, in});
      const auto bias = features("bias", Shape<1>{out});
      const auto x = features_of<Element, 2>("x", {13, in});
      ReferenceBackend::Context plain;
      Tensor<float, 2> expected({13, out});
      ReferenceBackend::Projection({}, weights, bias)(plain, x, expected);
      Memory<TestType, Element, 2> input(target, x);
      Memory<TestType, float, 2> y(target, expected.shape());
      const typename TestType::Backend::Projection projection(target, weights, bias);
      projection(context, input.view(), y.view());
      // Sums are in float for any element.
      REQUIRE(relative_error(y.read(context), expected) <= 2e-6);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A matrix product refuses what does not fit", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Linear = typename TestType::Backend::Linear;
  const auto target = TestType::target();
  const Spec spec{.rows = 10, .in_features = 8, .out_features = 4};
  const Tensor<float, 2> weights({4, 8});
  const Tensor<float, 2> bias({1, 4});
  REQUIRE_THROWS_AS(Linear(target, spec, Tensor<float, 2>({8, 4}), bias), ShapeError);
  REQUIRE_THROWS_AS(Linear(target, spec, weights, Tensor<float, 2>({3, 4})), ShapeError);
  REQUIRE_THROWS_AS(Linear(target, {.rows = 0, .in_features = 8, .out_features = 4}, weights, bias),
                    ShapeError);
  const Linear linear(target, spec, weights, bias);
  typename TestType::Backend::Context context(target, linear.scratch_bytes());
  Memory<TestType, Element, 2> x(target, Shape<2>{10, 8});
  Memory<TestType, Element, 2> y(target, Shape<2>{10, 4});
  Memory<TestType, Element, 2> tall(target, Shape<2>{11, 4});
  REQUIRE_THROWS_AS(linear(context, x.view(), tall.view()), ShapeError);
  if (linear.scratch_bytes() > 0) {
    typename TestType::Backend::Context starved(target, 0);
    REQUIRE_THROWS_AS(linear(starved, x.view(), y.view()), ShapeError);
  }
}

}  // namespace crossfix::test::linear_test
