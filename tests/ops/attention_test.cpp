#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "crossfix/ops/online_softmax.hpp"
#include "ops/subjects.hpp"

namespace crossfix::test::attention_test {
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

  struct Result {
    Tensor<float, 4> o;    // [batch, query, head, dim]
    Tensor<float, 3> lse;  // [batch, query, head]
  };

  /// The reference's result over the keys from `begin` to `end`.
  Result expected_of(float scale, Index begin, Index end) const {
    ReferenceBackend::Context plain;
    Result result{Tensor<float, 4>({batch, queries, heads, dim}),
                  Tensor<float, 3>({batch, queries, heads})};
    ReferenceBackend::attention(
        plain, part(from.view(), 0), part(to.view(), 1).slice(1, begin, end),
        part(to.view(), 2).slice(1, begin, end), result.o, result.lse, scale);
    return result;
  }
  Result expected_with_lse(float scale) const { return expected_of(scale, 0, keys); }

  /// The subject's result over the keys from `begin` to `end`. The log-sum-exp is written query by
  /// query within heads, between marks that must stay.
  Result result_of(float scale, Index begin, Index end,
                   const typename Subject::Backend::Target& target = Subject::target()) const {
    using Backend = typename Subject::Backend;
    Memory<Subject, Element, 5> a(target, from);
    Memory<Subject, Element, 5> b(target, to);
    Memory<Subject, Element, 4> o(target, Shape<4>{batch, queries, heads, dim});
    const Index room = queries + 2;
    Memory<Subject, float, 3> lse(target, marked(Shape<3>{batch, heads, room}));
    typename Backend::Context context(
        target, Backend::attention_scratch_bytes(target, queries, end - begin, heads, dim));
    Backend::attention(
        context, part(a.const_view(), 0), part(b.const_view(), 1).slice(1, begin, end),
        part(b.const_view(), 2).slice(1, begin, end), o.view(),
        {lse.view().data() + 1, {batch, queries, heads}, {heads * room, 1, room}}, scale);
    Result result{o.read(context), Tensor<float, 3>({batch, queries, heads})};
    const auto written = lse.read(context);
    for (Index n = 0; n < batch; ++n) {
      for (Index h = 0; h < heads; ++h) {
        REQUIRE(written(n, h, 0) == kMark);
        REQUIRE(written(n, h, room - 1) == kMark);
        for (Index i = 0; i < queries; ++i) result.lse(n, i, h) = written(n, h, i + 1);
      }
    }
    return result;
  }
  Result result_with_lse(float scale) const { return result_of(scale, 0, keys); }

  /// The result as floats, written between marks that must stay.
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

/// The largest |a - b|, 0 for infinities of one sign; NaN if either holds one.
double largest_difference(const Tensor<float, 3>& a, const Tensor<float, 3>& b) {
  double largest = 0.0;
  for (Index i = 0; i < b.size(); ++i) {
    const float x = a.data()[i];
    const float y = b.data()[i];
    if (std::isinf(x) && x == y) continue;
    const double off = std::abs(static_cast<double>(x) - static_cast<double>(y));
    largest = off <= largest || std::isnan(largest) ? largest : off;
  }
  return largest;
}

/// Softmax states in double.
struct DoubleMath {
  using Real = double;
  static double set(float a) { return static_cast<double>(a); }
  static double maximum(double a, double b) { return std::max(a, b); }
  static double add(double a, double b) { return a + b; }
  static double subtract(double a, double b) { return a - b; }
  static double multiply(double a, double b) { return a * b; }
  static double exp2(double a) { return std::exp2(a); }
  static double log2(double a) { return std::log2(a); }
};

/// One result, merged from the results over two parts of the keys.
template <class Result>
Result merged(Result a, const Result& b) {
  using State = ops::OnlineSoftmax<DoubleMath>;
  const Index dim = a.o.extent(3);
  for (Index row = 0; row < a.lse.size(); ++row) {
    State state = State::of_log_sum(static_cast<double>(a.lse.data()[row]));
    const auto factors = state.merge(State::of_log_sum(static_cast<double>(b.lse.data()[row])));
    a.lse.data()[row] = static_cast<float>(state.log_sum());
    for (Index i = row * dim; i < (row + 1) * dim; ++i) {
      a.o.data()[i] = static_cast<float>((static_cast<double>(a.o.data()[i]) * factors.own +
                                          static_cast<double>(b.o.data()[i]) * factors.other) /
                                         state.sum);
    }
  }
  return a;
}

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
    // Scores up to about 2000 |scale|: as floats they have an error of 2^-24 of that, which is the
    // relative error of a weight.
    const double tolerance = TestType::kTolerance + 2000.0 * std::abs(scale) * 0x1p-24;
    REQUIRE(relative_error(test.result(scale), test.expected(scale)) <= tolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention's log-sum-exp equals the reference", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  struct Size {
    Index batch, queries, keys, heads, dim;
    float factor = 1.0f;
    float scale = 0.2f;
  };
  for (const auto& [b, nq, nk, h, d, factor, scale] :
       {Size{1, 1, 1, 1, 32}, Size{2, 7, 13, 3, 8}, Size{2, 113, 600, 2, 32},
        Size{1, 12, 256, 1, 64}, Size{1, 25, 257, 1, 40}, Size{1, 13, 512, 1, 128},
        Size{3, 1, 33, 5, 16}, Size{1, 64, 300, 2, 32, 4.0f, 3.0f},
        Size{1, 13, 300, 2, 32, 4.0f, -0.5f}, Size{1, 13, 300, 2, 32, 1.0f, 0.0f}}) {
    if (!TestType::takes_head_dim(d)) continue;
    CAPTURE(TestType::name(), b, nq, nk, h, d, factor, scale);
    const Attention<TestType> test(b, nq, nk, h, d, factor);
    const auto found = test.result_with_lse(scale);
    const auto expected = test.expected_with_lse(scale);
    // Scores up to about 130 factor^2 |scale|; as float sums of up to 128 terms they have an error
    // of at most sqrt(128) 2^-24 of that.
    const double rounding = 130.0 * factor * factor * std::abs(scale) * 0x1p-24;
    REQUIRE(largest_difference(found.lse, expected.lse) <=
            TestType::kLogSumTolerance + 12.0 * rounding);
    // To ask for it changes nothing else.
    const auto alone = test.result(scale);
    for (Index i = 0; i < alone.size(); ++i) REQUIRE(found.o.data()[i] == alone.data()[i]);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention over parts of the keys merges to that over all", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const Attention<TestType> test(2, 25, 300, 2, 32);
  const auto expected = test.expected_with_lse(0.5f);
  for (const Index split : {0, 1, 150, 256, 299, 300}) {
    CAPTURE(TestType::name(), split);
    const auto whole =
        merged(test.result_of(0.5f, 0, split), test.result_of(0.5f, split, test.keys));
    REQUIRE(relative_error(whole.o, expected.o) <= TestType::kTolerance);
    REQUIRE(largest_difference(whole.lse, expected.lse) <= TestType::kLogSumTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention beside its log-sum-exp gives zeros where no key has a weight",
                        "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const auto nothing = [](const auto& result) {
    for (Index i = 0; i < result.o.size(); ++i) REQUIRE(result.o.data()[i] == 0.0f);
    for (Index i = 0; i < result.lse.size(); ++i) REQUIRE(result.lse.data()[i] == -kInfinity);
  };
  nothing(Attention<TestType>(1, 13, 0, 2, 32).result_with_lse(1.0f));
  Attention<TestType> test(1, 13, 300, 2, 32);
  for (Index i = 0; i < 13; ++i) {
    for (Index h = 0; h < 2; ++h) test.from(0, i, 0, h, 0) = 1.0f;
  }
  for (Index j = 0; j < 300; ++j) {
    for (Index h = 0; h < 2; ++h) test.to(0, j, 1, h, 0) = -kInfinity;
  }
  test.to(0, 7, 2, 1, 3) = kInfinity;  // a value without weight
  nothing(test.result_with_lse(0.3f));
}

TEMPLATE_LIST_TEST_CASE("Attention's log-sum-exp of infinite and NaN scores", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  struct Edit {
    const char* what;
    Index first, last;  // keys edited
    float value;
  };
  for (const auto& [what, first, last, value] :
       {Edit{"one key of -inf", 17, 18, -kInfinity},
        Edit{"a whole block of -inf", 0, 256, -kInfinity}, Edit{"+inf", 290, 291, kInfinity},
        Edit{"one NaN", 3, 4, kNan}, Edit{"all NaN", 0, 300, kNan}}) {
    CAPTURE(TestType::name(), what);
    Attention<TestType> test(1, 5, 300, 1, 32);
    for (Index i = 0; i < 5; ++i) test.from(0, i, 0, 0, 0) = 1.0f;  // scores get the key's sign
    for (Index j = first; j < last; ++j) test.to(0, j, 1, 0, 0) = value;
    const auto found = test.result_with_lse(0.3f);
    const auto expected = test.expected_with_lse(0.3f);
    for (Index i = 0; i < 5; ++i) {
      REQUIRE(std::isnan(found.lse(0, i, 0)) == std::isnan(expected.lse(0, i, 0)));
      for (Index d = 0; d < 32; ++d) {
        REQUIRE(std::isnan(found.o(0, i, 0, d)) == std::isnan(found.lse(0, i, 0)));
      }
    }
    if (std::isnan(expected.lse(0, 0, 0))) continue;
    REQUIRE(largest_difference(found.lse, expected.lse) <= TestType::kLogSumTolerance);
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
    for (Index i = 0; i < 5; ++i) test.from(0, i, 0, 0, 0) = 1.0f;  // scores get the key's sign
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
  for (const Shape<3>& shape : {Shape<3>{1, 4, 1}, Shape<3>{1, 2, 4}, Shape<3>{2, 4, 2}}) {
    Memory<TestType, float, 3> lse(target, shape);
    REQUIRE_THROWS_AS(
        Backend::attention(context, q.view(), k.view(), k.view(), o.view(), lse.view(), 1.0f),
        ShapeError);
  }
  if (Backend::attention_scratch_bytes(target, 4, 6, 2, 32) > 0) {
    typename Backend::Context starved(target, 0);
    REQUIRE_THROWS_AS(attention(starved, k, k, o), ShapeError);
  }
}

}  // namespace crossfix::test::attention_test
