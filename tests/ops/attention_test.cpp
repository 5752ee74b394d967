#include <catch2/catch.hpp>
#include <limits>

#include "ops/subjects.hpp"

namespace crossfix::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Queries, keys and values of one size, as strided views of fused projections
/// [batch, token, 3, head, dim].
template <class Subject>
struct Attention {
  using Element = typename Subject::Element;
  using View = TensorView<const float, 4>;

  Index batch, queries, keys, heads, dim;
  Tensor<float, 5> from;  // queries
  Tensor<float, 5> to;    // keys and values

  Attention(Index b, Index nq, Index nk, Index h, Index d, float factor = 1.0f)
      : batch(b),
        queries(nq),
        keys(nk),
        heads(h),
        dim(d),
        from(features_of<Element, 5>("from", {b, nq, 3, h, d}, factor)),
        to(features_of<Element, 5>("to", {b, nk, 3, h, d}, factor)) {}

  template <class T>
  static TensorView<const T, 4> part(const Tensor<T, 5>& fused, Index which) {
    const auto all = fused.view();
    return {all.data() + which * all.stride(2),
            {all.extent(0), all.extent(1), all.extent(3), all.extent(4)},
            {all.stride(0), all.stride(1), all.stride(3), all.stride(4)}};
  }

  Tensor<float, 4> expected(float scale) const {
    ReferenceBackend::Context plain;
    Tensor<float, 4> o({batch, queries, heads, dim});
    ReferenceBackend::attention(plain, part(from, 0), part(to, 1), part(to, 2), o, scale);
    return o;
  }

  /// The result, written between guards: [batch, query, head, dim + 2], sliced by the caller.
  Tensor<Element, 4> guarded_result(float scale, int threads = 2) const {
    using Backend = typename Subject::Backend;
    const auto a = stored_as<Element>(from);
    const auto b = stored_as<Element>(to);
    const auto target = Subject::target(threads);
    typename Backend::Context context(
        target, Backend::attention_scratch_bytes(target, queries, keys, heads, dim));
    Tensor<Element, 4> o({batch, queries, heads, dim + 2});
    for (Index i = 0; i < o.size(); ++i) o.data()[i] = Element(42.0f);
    Backend::attention(context, part(a, 0), part(b, 1), part(b, 2), o.view().slice(3, 1, dim + 1),
                       scale);
    return o;
  }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("Attention equals the reference at awkward sizes", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  struct Size {
    Index batch, queries, keys, heads, dim;
  };
  for (const auto& [b, nq, nk, h, d] :
       {Size{1, 1, 1, 1, 8}, Size{2, 7, 13, 3, 8}, Size{1, 13, 7, 2, 32}, Size{1, 64, 64, 8, 32},
        Size{2, 113, 600, 2, 32}, Size{1, 600, 113, 1, 32}, Size{1, 12, 256, 1, 64},
        Size{1, 25, 257, 1, 40}, Size{1, 13, 512, 1, 128}, Size{1, 7, 31, 2, 5},
        Size{1, 3, 300, 1, 1}, Size{3, 1, 33, 5, 16}}) {
    CAPTURE(TestType::name(), b, nq, nk, h, d);
    const Attention<TestType> test(b, nq, nk, h, d);
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    const auto expected = test.expected(scale);
    const auto o = test.guarded_result(scale);
    REQUIRE(relative_error<Element, 4>(o.view().slice(3, 1, d + 1), expected) <=
            TestType::kTolerance);
    for (Index i = 0; i < o.size(); i += d + 2) {  // nothing beside the rows is written
      REQUIRE(o.data()[i] == Element(42.0f));
      REQUIRE(o.data()[i + d + 1] == Element(42.0f));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Attention splits heads between any number of threads", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const Attention<TestType> test(1, 113, 64, 3, 32);
  const auto expected = test.expected(0.2f);
  for (int threads : {1, 2, 3}) {
    CAPTURE(TestType::name(), threads);
    const auto o = test.guarded_result(0.2f, threads);
    REQUIRE(relative_error<Element, 4>(o.view().slice(3, 1, 33), expected) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention with sharp or negative scores", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const Attention<TestType> test(1, 64, 600, 2, 32, 4.0f);
  for (float scale : {3.0f, -0.5f, 0.0f}) {
    CAPTURE(TestType::name(), scale);
    // Scores up to about 2000 |scale|: as floats they are off by 2^-24 of that, and a weight by as
    // much of itself.
    const double tolerance = TestType::kTolerance + 2000.0 * std::abs(scale) * 0x1p-24;
    const auto o = test.guarded_result(scale);
    REQUIRE(relative_error<Element, 4>(o.view().slice(3, 1, 33), test.expected(scale)) <=
            tolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention over no keys gives zeros", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const Attention<TestType> test(1, 13, 0, 2, 8);
  const auto o = test.guarded_result(1.0f);
  for (Index i = 0; i < 13; ++i) {
    for (Index d = 1; d < 9; ++d) REQUIRE(static_cast<float>(o(0, i, 1, d)) == 0.0f);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention treats infinite and NaN scores as a softmax does", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  const Index keys = 300;  // more than a block
  struct Edit {
    const char* what;
    Index first, last;  // keys edited
    float value;
  };
  for (const auto& [what, first, last, value] :
       {Edit{"one key of -inf", 17, 18, -kInfinity},
        Edit{"a whole block of -inf", 0, 256, -kInfinity},
        Edit{"the last block of -inf", 256, 300, -kInfinity}, Edit{"all -inf", 0, 300, -kInfinity},
        Edit{"one key of +inf", 290, 291, kInfinity}, Edit{"one NaN", 3, 4, kNan}}) {
    CAPTURE(TestType::name(), what);
    Attention<TestType> test(1, 5, keys, 1, 8);
    for (Index i = 0; i < 5; ++i) test.from(0, i, 0, 0, 0) = 1.0f;  // scores take the key's sign
    for (Index j = first; j < last; ++j) test.to(0, j, 1, 0, 0) = value;
    const auto expected = test.expected(0.3f);
    const auto o = test.guarded_result(0.3f);
    if (std::isnan(expected(0, 0, 0, 0))) {
      for (Index i = 0; i < 5; ++i) {
        for (Index d = 0; d < 8; ++d) {
          REQUIRE(std::isnan(expected(0, i, 0, d)));
          REQUIRE(std::isnan(static_cast<float>(o(0, i, 0, d + 1))));
        }
      }
    } else {
      REQUIRE(relative_error<Element, 4>(o.view().slice(3, 1, 9), expected) <=
              TestType::kTolerance);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A NaN in one query stays in its row", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  Attention<TestType> test(1, 13, 64, 1, 32);
  test.from(0, 4, 0, 0, 7) = kNan;
  const auto o = test.guarded_result(0.2f);
  for (Index i = 0; i < 13; ++i) {
    for (Index d = 1; d < 33; ++d)
      REQUIRE(std::isnan(static_cast<float>(o(0, i, 0, d))) == (i == 4));
  }
}

TEMPLATE_LIST_TEST_CASE("Attention refuses what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  auto context = TestType::context(1 << 20);
  const Tensor<Element, 4> q({1, 4, 2, 8}), k({1, 6, 2, 8}), other({1, 6, 2, 16}),
      few({1, 5, 2, 8});
  Tensor<Element, 4> o({1, 4, 2, 8}), wrong({1, 5, 2, 8});
  REQUIRE_THROWS_AS(Backend::attention(context, q, other, other, o, 1.0f), ShapeError);
  REQUIRE_THROWS_AS(Backend::attention(context, q, k, few, o, 1.0f), ShapeError);
  REQUIRE_THROWS_AS(Backend::attention(context, q, k, k, wrong, 1.0f), ShapeError);
  auto starved = TestType::context(0);
  REQUIRE_THROWS_AS(Backend::attention(starved, q, k, k, o, 1.0f), ShapeError);
}

}  // namespace crossfix::test
