#include <catch2/catch.hpp>

#include "ops/subjects.hpp"

namespace crossfix::test {
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
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("A matrix product equals the reference, with gaps or without", "[ops]",
                        MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  for (const auto& [spec, table_rows] : kCases) {
    CAPTURE(TestType::name(), spec.rows, spec.in_features, spec.out_features, table_rows);
    const auto weights =
        features_of<Element, 2>("weights", {spec.out_features, spec.in_features},
                                1.0f / std::sqrt(static_cast<float>(spec.in_features)));
    const auto table = features("table", Shape<2>{table_rows, spec.out_features});
    // Wider than the product: its rows have gaps.
    const auto x = features_of<Element, 2>("x", {spec.rows, spec.in_features + 5});
    const auto wide_x = stored_as<Element>(x);
    const auto gapped_x = wide_x.view().slice(1, 3, 3 + spec.in_features);

    ReferenceBackend::Context plain;
    Tensor<float, 2> expected({spec.rows, spec.out_features});
    ReferenceBackend::Linear({}, spec, weights, table)(
        plain, x.view().slice(1, 3, 3 + spec.in_features), expected);

    const typename TestType::Backend::Linear linear(TestType::target(), spec, weights, table);
    auto context = TestType::context(linear.scratch_bytes());
    Tensor<Element, 2> wide_y({spec.rows, spec.out_features + 3});
    for (Index i = 0; i < wide_y.size(); ++i) wide_y.data()[i] = Element(42.0f);
    const auto gapped_y = wide_y.view().slice(1, 1, 1 + spec.out_features);
    linear(context, gapped_x, gapped_y);
    REQUIRE(relative_error<Element, 2>(gapped_y, expected) <= TestType::kTolerance);
    for (Index row = 0; row < spec.rows; ++row) {  // what lies in the gaps is left alone
      REQUIRE(wide_y(row, 0) == Element(42.0f));
      REQUIRE(wide_y(row, spec.out_features + 1) == Element(42.0f));
    }

    Tensor<Element, 2> dense_x({spec.rows, spec.in_features});
    for (Index i = 0; i < dense_x.size(); ++i) {
      dense_x.data()[i] = element_at(TensorView<const Element, 2>(gapped_x), i);
    }
    Tensor<Element, 2> dense_y({spec.rows, spec.out_features});
    linear(context, dense_x, dense_y);
    REQUIRE(relative_error<Element, 2>(dense_y, expected) <= TestType::kTolerance);

    // Inputs and weights are exact in `Element`, sums are in float, and so is this result.
    const typename TestType::Backend::FloatLinear exact(TestType::target(), spec, weights, table);
    auto exact_context = TestType::context(exact.scratch_bytes());
    Tensor<float, 2> float_y({spec.rows, spec.out_features});
    exact(exact_context, gapped_x, float_y);
    REQUIRE(relative_error<float, 2>(float_y, expected) <= 2e-6);
  }
}

TEMPLATE_LIST_TEST_CASE("An operator made for one number of threads runs under another", "[ops]",
                        MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const Spec spec{.rows = 113, .in_features = 64, .out_features = 96};
  const auto weights = features("weights", Shape<2>{96, 64});
  const auto table = features("table", Shape<2>{1, 96});
  const auto x = stored_as<Element>(features("x", Shape<2>{113, 64}));
  const auto run = [&](int prepared, int used) {
    const typename TestType::Backend::Linear linear(TestType::target(prepared), spec, weights,
                                                    table);
    auto context = TestType::context(linear.scratch_bytes(), used);
    Tensor<Element, 2> y({113, 96});
    linear(context, x, y);
    Tensor<float, 2> out({113, 96});
    TestType::Backend::read(context, std::as_const(y).view(), out.data());
    return out;
  };
  const auto expected = run(1, 1);
  for (const auto& [prepared, used] : {std::pair{1, 3}, {3, 1}, {2, 2}}) {
    CAPTURE(prepared, used);
    const auto y = run(prepared, used);
    REQUIRE(relative_error<float, 2>(y, expected) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("A projection gives floats", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  for (Index in : {1, 7, 64, 113, 256}) {
    for (Index out : {1, 2}) {
      CAPTURE(TestType::name(), in, out);
      const auto weights = features("weights", Shape<2>{out, in});
      const auto bias = features("bias", Shape<1>{out});
      const auto x = features_of<Element, 2>("x", {13, in});
      ReferenceBackend::Context plain;
      Tensor<float, 2> expected({13, out});
      ReferenceBackend::Projection({}, weights, bias)(plain, x, expected);
      auto context = TestType::context(0);
      Tensor<float, 2> y({13, out});
      typename TestType::Backend::Projection(TestType::target(), weights, bias)(
          context, stored_as<Element>(x), y);
      // Sums in float whatever the element.
      REQUIRE(relative_error<float, 2>(y, expected) <= 2e-6);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A matrix product refuses what does not fit", "[ops]", MathSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Linear = typename TestType::Backend::Linear;
  const Spec spec{.rows = 10, .in_features = 8, .out_features = 4};
  const Tensor<float, 2> weights({4, 8});
  const Tensor<float, 2> bias({1, 4});
  REQUIRE_THROWS_AS(Linear(TestType::target(), spec, Tensor<float, 2>({8, 4}), bias), ShapeError);
  REQUIRE_THROWS_AS(Linear(TestType::target(), spec, weights, Tensor<float, 2>({3, 4})),
                    ShapeError);
  REQUIRE_THROWS_AS(
      Linear(TestType::target(), {.rows = 0, .in_features = 8, .out_features = 4}, weights, bias),
      ShapeError);
  const Linear linear(TestType::target(), spec, weights, bias);
  auto context = TestType::context(linear.scratch_bytes());
  const Tensor<Element, 2> x({10, 8});
  Tensor<Element, 2> y({10, 4});
  Tensor<Element, 2> tall({11, 4});
  REQUIRE_THROWS_AS(linear(context, x, tall), ShapeError);
  auto starved = TestType::context(0);
  if (linear.scratch_bytes() > 0) REQUIRE_THROWS_AS(linear(starved, x, y), ShapeError);
}

}  // namespace crossfix::test
