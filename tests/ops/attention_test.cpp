#include <algorithm>
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

  template <class T, class Space>
  static TensorView<const T, 4, Space> part(const TensorView<const T, 5, Space>& all, Index which) {
    return {all.data() + which * all.stride(2),
            {all.extent(0), all.extent(1), all.extent(3), all.extent(4)},
            {all.stride(0), all.stride(1), all.stride(3), all.stride(4)}};
  }

  Tensor<float, 4> expected(float scale) const {
    ReferenceBackend::Context plain;
    Tensor<float, 4> o({batch, queries, heads, dim});
    ReferenceBackend::attention(plain, part(from.view(), 0), part(to.view(), 1), part(to.view(), 2),
                                o, scale);
    return o;
  }

  /// The result as floats, written between marks that must hold.
  Tensor<float, 4> result(
      float scale, const typename Subject::Backend::Target& target = Subject::target()) const {
    using Backend = typename Subject::Backend;
    constexpr Index kGap = Subject::kGap;
    Memory<Subject, Element, 5> a(target, from);
    Memory<Subject, Element, 5> b(target, to);
    Memory<Subject, Element, 4> o(target, marked(Shape<4>{batch, queries, heads, dim + 2 * kGap}));
    typename Backend::Context context(
        target, Backend::attention_scratch_bytes(target, queries, keys, heads, dim));
    Backend::attention(context, part(a.const_view(), 0), part(b.const_view(), 1),
                       part(b.const_view(), 2), o.view().slice(3, kGap, kGap + dim), scale);
    const auto wide = o.read(context);
    Tensor<float, 4> out({batch, queries, heads, dim});
    for (Index i = 0; i < batch * queries * heads; ++i) {
      const float* row = wide.data() + i * (dim + 2 * kGap);
      for (Index g = 0; g < kGap; ++g) {
        REQUIRE(row[g] == kMark);
        REQUIRE(row[kGap + dim + g] == kMark);
      }
      std::copy_n(row + kGap, dim, out.data() + i * dim);
    }
    return out;
  }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("Attention equals the reference at awkward sizes", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  struct Size {
    Index batch, queries, keys, heads, dim;
  };
  for (const auto& [b, nq, nk, h, d] :
       {Size{1, 1, 1, 1, 8}, Size{2, 7, 13, 3, 8}, Size{1, 13, 7, 2, 32}, Size{1, 64, 64, 8, 32},
        Size{2, 113, 600, 2, 32}, Size{1, 600, 113, 1, 32}, Size{1, 12, 256, 1, 64},
        Size{1, 25, 257, 1, 40}, Size{1, 13, 512, 1, 128}, Size{1, 7, 31, 2, 5},
        Size{1, 3, 300, 1, 1}, Size{3, 1, 33, 5, 16}}) {
    if (!TestType::takes_head_dim(d)) continue;
    CAPTURE(TestType::name(), b, nq, nk, h, d);
    const Attention<TestType> test(b, nq, nk, h, d);
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    REQUIRE(relative_error(test.result(scale), test.expected(scale)) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention is the same on any target", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const Attention<TestType> test(1, 113, 64, 3, 32);
  const auto expected = test.expected(0.2f);
  for (const auto& target : TestType::targets()) {
    CAPTURE(TestType::name());
    REQUIRE(relative_error(test.result(0.2f, target), expected) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention with sharp or negative scores", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const Attention<TestType> test(1, 64, 600, 2, 32, 4.0f);
  for (float scale : {3.0f, -0.5f, 0.0f}) {
    CAPTURE(TestType::name(), scale);
    // Scores up to about 2000 |scale|: as floats they are off by 2^-24 of that, and a weight by as
    // much of itself.
    const double tolerance = TestType::kTolerance + 2000.0 * std::abs(scale) * 0x1p-24;
    REQUIRE(relative_error(test.result(scale), test.expected(scale)) <= tolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention over no keys gives zeros", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const Attention<TestType> test(1, 13, 0, 2, 32);
  const auto o = test.result(1.0f);
  for (Index i = 0; i < o.size(); ++i) REQUIRE(o.data()[i] == 0.0f);
}

TEMPLATE_LIST_TEST_CASE("Attention treats infinite and NaN scores as a softmax does", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
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
    Attention<TestType> test(1, 5, keys, 1, 32);
    for (Index i = 0; i < 5; ++i) test.from(0, i, 0, 0, 0) = 1.0f;  // scores take the key's sign
    for (Index j = first; j < last; ++j) test.to(0, j, 1, 0, 0) = value;
    const auto expected = test.expected(0.3f);
    const auto o = test.result(0.3f);
    if (std::isnan(expected(0, 0, 0, 0))) {
      for (Index i = 0; i < o.size(); ++i) {
        REQUIRE(std::isnan(expected.data()[i]));
        REQUIRE(std::isnan(o.data()[i]));
      }
    } else {
      REQUIRE(relative_error(o, expected) <= TestType::kTolerance);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A NaN in one query stays in its row", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  Attention<TestType> test(1, 13, 64, 1, 32);
  test.from(0, 4, 0, 0, 7) = kNan;
  const auto o = test.result(0.2f);
  for (Index i = 0; i < 13; ++i) {
    for (Index d = 0; d < 32; ++d) REQUIRE(std::isnan(o(0, i, 0, d)) == (i == 4));
  }
}

TEMPLATE_LIST_TEST_CASE("Attention refuses what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  using Element = typename TestType::Element;
  using Backend = typename TestType::Backend;
  const auto target = TestType::target();
  typename Backend::Context context(target, 1 << 20);
  const auto of = [&](const Shape<4>& shape) {
    return Memory<TestType, Element, 4>(target, shape);
  };
  auto q = of({1, 4, 2, 32}), k = of({1, 6, 2, 32}), other = of({1, 6, 2, 64}),
       few = of({1, 5, 2, 32}), o = of({1, 4, 2, 32}), wrong = of({1, 5, 2, 32});
  const auto attention = [&](auto& on, auto& keys, auto& values, auto& out) {
    Backend::attention(on, q.view(), keys.view(), values.view(), out.view(), 1.0f);
  };
  REQUIRE_THROWS_AS(attention(context, other, other, o), ShapeError);
  REQUIRE_THROWS_AS(attention(context, k, few, o), ShapeError);
  REQUIRE_THROWS_AS(attention(context, k, k, wrong), ShapeError);
  if (Backend::attention_scratch_bytes(target, 4, 6, 2, 32) > 0) {
    typename Backend::Context starved(target, 0);
    REQUIRE_THROWS_AS(attention(starved, k, k, o), ShapeError);
  }
}

}  // namespace crossfix::test
