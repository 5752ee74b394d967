#include <catch2/catch.hpp>
#include <limits>

#include "ops/subjects.hpp"

namespace crossfix::test::norm_pool_test {

TEMPLATE_LIST_TEST_CASE("LayerNorm equals the reference, plain, added and in place", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  constexpr Index kGap = TestType::kGap;
  const auto target = TestType::target();
  typename Backend::Context context(target, 0);
  for (Index channels : {1, 7, 13, 64, 113, 256, 600}) {
    for (Index rows : {1, 7, 33}) {
      for (float mean : {0.0f, 100.0f}) {
        CAPTURE(TestType::name(), channels, rows, mean);
        const auto scale = features("scale", Shape<1>{channels});
        const auto shift = features("shift", Shape<1>{channels});
        auto x = features("x", Shape<2>{rows, channels + 3 * kGap});
        for (Index i = 0; i < x.size(); ++i) x.data()[i] += mean;
        const auto r = features("r", Shape<2>{rows, channels});
        const auto part = [channels](const auto& view) {
          return view.slice(1, 2 * kGap, 2 * kGap + channels);
        };

        ReferenceBackend::Context plain;
        const ReferenceBackend::LayerNorm reference({}, scale, shift, 1e-5f);
        const typename Backend::LayerNorm norm(target, scale, shift, 1e-5f);
        // Everything is in float; a value near the mean m has an error of 2^-24 m, with unit
        // deviation.
        const double tolerance = 2e-6 + static_cast<double>(mean) * 0x1p-22;
        Tensor<float, 2> expected({rows, channels});
        Tensor<float, 2> sink({rows, channels});
        Memory<TestType, float, 2> wide(target, x);
        Memory<TestType, float, 2> added(target, r);
        Memory<TestType, float, 2> y(target, r.shape());
        Memory<TestType, Element, 2> z(target, r.shape());
        const auto check = [&](const TensorView<const float, 2>& result) {
          REQUIRE(relative_error<float, 2>(result, expected) <= tolerance);
          const auto rounded = z.read(context);
          bool same = true;
          for (Index i = 0; i < rows; ++i) {
            for (Index c = 0; c < channels; ++c) {
              same = same && rounded(i, c) == static_cast<float>(Element(result(i, c)));
            }
          }
          REQUIRE(same);
        };

        reference(plain, part(std::as_const(x).view()), expected, sink);
        norm(context, part(wide.view()), y.view(), z.view());
        check(y.read(context));

        reference(plain, part(std::as_const(x).view()), r, expected, sink);
        norm(context, part(wide.view()), added.view(), y.view(), z.view());
        check(y.read(context));
        Memory<TestType, float, 2> into_r(target, r);
        norm(context, part(wide.view()), into_r.view(), into_r.view(), z.view());
        check(into_r.read(context));
        norm(context, part(wide.view()), added.view(), part(wide.view()), z.view());
        const auto in_place = wide.read(context);
        check(part(in_place.view()));
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Pools equal the reference to the bit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const auto target = TestType::target();
  typename Backend::Context context(target, 0);
  const auto equal = [](const Tensor<float, 4>& y, const Tensor<float, 4>& expected) {
    bool same = true;
    for (Index i = 0; i < expected.size(); ++i) {
      const float a = y.data()[i];
      const float b = expected.data()[i];
      same = same && (a == b || (std::isnan(a) && std::isnan(b)));
    }
    return same;
  };
  ReferenceBackend::Context plain;
  for (const Shape<4>& shape : {Shape<4>{1, 1, 1, 1}, Shape<4>{2, 7, 13, 24},
                                Shape<4>{1, 16, 8, 64}, Shape<4>{1, 5, 6, 113}}) {
    CAPTURE(TestType::name(), to_string(shape));
    auto x = features_of<Element>("x", shape);
    x.data()[x.size() / 2] = std::numeric_limits<float>::quiet_NaN();
    x.data()[x.size() - 1] = -std::numeric_limits<float>::infinity();
    Memory<TestType, Element, 4> input(target, x);

    const Shape<4> halved{shape[0], ops::max_pool_extent(shape[1]), ops::max_pool_extent(shape[2]),
                          shape[3]};
    Tensor<float, 4> expected(halved);
    Memory<TestType, Element, 4> y(target, halved);
    for (const ops::PoolWindow window : {ops::PoolWindow::three, ops::PoolWindow::two}) {
      ReferenceBackend::max_pool(plain, window, x, expected);
      Backend::max_pool(context, window, input.view(), y.view());
      REQUIRE(equal(y.read(context), expected));
    }

    const Shape<4> fitted{shape[0], (shape[1] + 2) / 3, (shape[2] + 1) / 2, shape[3]};
    expected = Tensor<float, 4>(fitted);
    Memory<TestType, Element, 4> fitted_y(target, fitted);
    ReferenceBackend::adaptive_max_pool(plain, x, expected);
    Backend::adaptive_max_pool(context, input.view(), fitted_y.view());
    REQUIRE(equal(fitted_y.read(context), expected));
  }
  Memory<TestType, Element, 4> small(target, Shape<4>{1, 2, 1, 1});
  Memory<TestType, Element, 4> larger(target, Shape<4>{1, 3, 1, 1});
  REQUIRE_THROWS_AS(Backend::adaptive_max_pool(context, small.view(), larger.view()), ShapeError);
}

TEMPLATE_LIST_TEST_CASE("An image is resized and normalised", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  ReferenceBackend::Context plain;
  const float mean[3] = {0.485f, 0.456f, 0.406f};
  const float std[3] = {0.229f, 0.224f, 0.225f};
  for (const auto& [from, to] : {std::pair<Shape<2>, Shape<2>>{{64, 64}, {64, 64}},
                                 {{113, 71}, {32, 32}},
                                 {{7, 13}, {20, 33}},
                                 {{1, 1}, {3, 2}},
                                 {{40, 80}, {16, 40}}}) {
    CAPTURE(TestType::name(), to_string(from), to_string(to));
    const auto picture = image("picture", from[0], from[1]);
    Tensor<float, 3> expected({to[0], to[1], 3});
    Memory<TestType, Element, 3> loaded(target, expected.shape());
    ReferenceBackend::load_image(plain, picture, mean, std, expected);
    TestType::Backend::load_image(context, picture, mean, std, loaded.view());
    const auto y = loaded.read(context);
    float worst = 0.0f;
    for (Index i = 0; i < y.size(); ++i) {
      const float error = std::abs(y.data()[i] - expected.data()[i]);
      worst = !(error <= worst) ? error : worst;
    }
    // Two roundings to a grey level, each by half a level, and that of the element.
    const float grey_level = 1.0f / 255.0f / 0.224f;
    REQUIRE(worst <= 1.01f * grey_level + 3.0f * static_cast<float>(TestType::kTolerance));
  }
}

TEMPLATE_LIST_TEST_CASE("Floats are rounded to activations", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  constexpr Index kGap = TestType::kGap;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  const auto x = features("x", Shape<2>{7, 9 + 3 * kGap});
  Memory<TestType, float, 2> wide(target, x);
  Memory<TestType, Element, 2> z(target, Shape<2>{7, 5});
  TestType::Backend::round(context, wide.view().slice(1, 2 * kGap, 2 * kGap + 5), z.view());
  const auto rounded = z.read(context);
  for (Index i = 0; i < 7; ++i) {
    for (Index j = 0; j < 5; ++j) {
      REQUIRE(rounded(i, j) == static_cast<float>(Element(x(i, j + 2 * kGap))));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Activations are read as floats", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  const auto x = features_of<Element, 2>("x", {7, 13});
  Memory<TestType, Element, 2> stored(target, x);
  std::vector<float> out(7 * 5);
  TestType::Backend::read(context, stored.view().slice(1, 4, 9), out.data());
  for (Index i = 0; i < 7; ++i) {
    for (Index j = 0; j < 5; ++j) REQUIRE(out[static_cast<std::size_t>(i * 5 + j)] == x(i, j + 4));
  }
}

}  // namespace crossfix::test::norm_pool_test
