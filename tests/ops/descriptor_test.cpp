#include <catch2/catch.hpp>

#include "ops/subjects.hpp"

namespace crossfix::test::descriptor_test {

using Summary = ops::SpatialAttentionSpecification::Summary;

TEMPLATE_LIST_TEST_CASE("Spatial attention equals the reference", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const auto target = TestType::target();
  ReferenceBackend::Context plain;
  struct Case {
    Shape<4> input;
    ops::SpatialAttentionSpecification spec;
  };
  for (const Case& c : {Case{{1, 1, 1, 1}, {1, 1, 1, Summary::mean, false}},
                        Case{{2, 3, 5, 13}, {3, 5, 8, Summary::maximum, false}},
                        Case{{2, 4, 6, 40}, {2, 2, 8, Summary::mean, true}},
                        Case{{1, 10, 9, 300}, {5, 3, 3, Summary::maximum, true}}}) {
    CAPTURE(TestType::name(), to_string(c.input), c.spec.rows, c.spec.cols);
    const Index positions = c.spec.positions();
    const auto x = features_of<Element>("x", c.input);
    const auto weights = features("weights", Shape<3>{c.spec.heads, positions, positions});
    const auto bias = features("bias", Shape<2>{c.spec.heads, positions});
    const Index rows = c.input[0] * (c.input[1] / c.spec.rows) * (c.input[2] / c.spec.cols);
    const Index length = c.spec.heads * c.input[3];
    Tensor<float, 2> expected({rows, length});
    ReferenceBackend::SpatialAttention({}, c.spec, weights, bias)(plain, x, expected);

    const typename Backend::SpatialAttention attention(target, c.spec, weights, bias);
    typename Backend::Context context(target, attention.scratch_bytes());
    Memory<TestType, Element, 4> input(target, x);
    Memory<TestType, float, 2> wide(target, marked(Shape<2>{rows, 2 * length + 3}));
    attention(context, input.view(), wide.view().slice(1, length, 2 * length));
    const auto y = wide.read(context);
    const auto described = y.view().slice(1, length, 2 * length);
    REQUIRE(relative_error<float, 2>(described, expected) <= 1e-5);  // sums of up to 300 in float
    for (Index row = 0; row < rows; ++row) {
      REQUIRE(y(row, length - 1) == kMark);
      REQUIRE(y(row, 2 * length) == kMark);
    }
  }
  const ops::SpatialAttentionSpecification spec{2, 2, 1};
  const auto make = [&](const Shape<3>& weights, const Shape<2>& bias) {
    return typename Backend::SpatialAttention(target, spec, features("weights", weights),
                                              features("bias", bias));
  };
  REQUIRE_THROWS_AS(make({1, 4, 3}, {1, 4}), ShapeError);
  REQUIRE_THROWS_AS(make({1, 4, 4}, {2, 4}), ShapeError);
  const auto attention = make({1, 4, 4}, {1, 4});
  typename Backend::Context context(target, attention.scratch_bytes());
  Memory<TestType, Element, 4> odd(target, Shape<4>{1, 3, 2, 8});
  Memory<TestType, float, 2> y(target, Shape<2>{1, 8});
  REQUIRE_THROWS_AS(attention(context, odd.view(), y.view()), ShapeError);
}

TEMPLATE_LIST_TEST_CASE("Blocks are matched with their panorama", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const auto target = TestType::target();
  typename Backend::Context context(target, 0);
  ReferenceBackend::Context plain;
  for (const auto& [shape, length] :
       {std::pair<Shape<4>, Index>{{1, 1, 1, 2}, 1}, {{3, 2, 2, 48}, 40}, {{2, 8, 8, 520}, 512}}) {
    CAPTURE(TestType::name(), to_string(shape));
    const auto blocks = features("blocks", Shape<2>{shape[0] * shape[1] * shape[2], length});
    const auto panoramas = features("panoramas", Shape<2>{shape[0], length});
    Tensor<float, 4> expected(shape);
    ReferenceBackend::match(plain, blocks, panoramas, expected);
    Memory<TestType, float, 2> tile(target, blocks);
    Memory<TestType, float, 2> ground(target, panoramas);
    Memory<TestType, Element, 4> y(target, marked(shape));
    Backend::match(context, tile.view(), ground.view(), y.view());
    REQUIRE(relative_error<float, 4>(y.read(context), expected) <=
            std::max(TestType::kTolerance, 1e-6));
  }
  Memory<TestType, float, 2> tile(target, Shape<2>{4, 8});
  Memory<TestType, float, 2> ground(target, Shape<2>{1, 8});
  Memory<TestType, Element, 4> narrow(target, Shape<4>{1, 2, 2, 8});
  REQUIRE_THROWS_AS(Backend::match(context, tile.view(), ground.view(), narrow.view()), ShapeError);
}

TEMPLATE_LIST_TEST_CASE("Views of any strides are copied", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const auto target = TestType::target();
  typename Backend::Context context(target, 0);
  const auto x = features_of<Element>("x", Shape<4>{2, 3, 5, 12});
  Memory<TestType, Element, 4> from(target, x);
  Memory<TestType, Element, 4> to(target, marked(Shape<4>{2, 6, 10, 7}));
  // Channels 4 to 8 into every other pixel's channels 1 to 5.
  const auto every_other = TensorView<Element, 4, typename Backend::Space>(
      to.view().data() + 10 * 7 + 1, {2, 3, 5, 4}, {6 * 10 * 7, 2 * 10 * 7, 2 * 7, 1});
  Backend::copy(context, from.view().slice(3, 4, 8), every_other);
  const auto y = to.read(context);
  for (Index n = 0; n < 2; ++n) {
    for (Index i = 0; i < 6; ++i) {
      for (Index j = 0; j < 10; ++j) {
        for (Index c = 0; c < 7; ++c) {
          const bool written = i % 2 == 1 && j % 2 == 0 && c >= 1 && c < 5;
          REQUIRE(y(n, i, j, c) == (written ? x(n, i / 2, j / 2, c + 3) : kMark));
        }
      }
    }
  }
  REQUIRE_THROWS_AS(Backend::copy(context, from.view(), to.view()), ShapeError);
}

}  // namespace crossfix::test::descriptor_test
