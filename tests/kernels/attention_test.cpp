#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "crossfix/kernels/attention/hopper_layout.hpp"
#include "kernels/attention_subjects.hpp"
#include "support/counter_generator.hpp"
#include "support/reference_backend.hpp"

namespace crossfix::test::attention_test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMark = 42.0f;  // in memory that no kernel may write

/// With sanitizers the emulator takes ten times as long. Sizes beyond this many scores show it
/// nothing new.
#if defined(__SANITIZE_ADDRESS__)
constexpr Index kMostScores = 40'000;
#else
constexpr Index kMostScores = std::numeric_limits<Index>::max();
#endif

struct Size {
  Index batch, queries, keys, heads, dim;
};

/// Projections [batch, token, 3, head, dim], of which each part is a strided view. The memory
/// continues beyond both ends with NaN, so that reading past the tokens is noticed.
template <class Element>
class Fused {
 public:
  Fused(const char* key, Index batch, Index tokens, Index heads, Index dim, float factor)
      : shape_({batch, tokens, 3, heads, dim}),
        values_(features(key, shape_)),
        guard_(kGuardTokens * 3 * heads * dim) {
    for (Index i = 0; i < values_.size(); ++i) {
      values_.data()[i] = static_cast<float>(Element(values_.data()[i] * factor));
    }
  }

  float& operator()(Index b, Index token, Index which, Index h, Index d) {
    return values_(b, token, which, h, d);
  }
  TensorView<const float, 4> part(Index which) const {
    return part_of<HostSpace>(values_.data(), which);
  }
  TensorView<const Element, 4, DeviceSpace> part(const Element* memory, Index which) const {
    return part_of<DeviceSpace>(memory + guard_, which);
  }
  /// In the form that a kernel gets.
  Tensor<Element, 1> guarded() const {
    Tensor<Element, 1> out({values_.size() + 2 * guard_});
    for (Index i = 0; i < out.size(); ++i) out.data()[i] = Element(kNan);
    for (Index i = 0; i < values_.size(); ++i) {
      out.data()[guard_ + i] = Element(values_.data()[i]);
    }
    return out;
  }

 private:
  static constexpr Index kGuardTokens = 128;

  template <class Space, class T>
  TensorView<const T, 4, Space> part_of(const T* data, Index which) const {
    const Shape<5> strides = contiguous_strides(shape_);
    return {data + which * strides[2],
            {shape_[0], shape_[1], shape_[3], shape_[4]},
            {strides[0], strides[1], strides[3], strides[4]}};
  }

  Shape<5> shape_;
  Tensor<float, 5> values_;
  Index guard_;
};

template <class Subject>
struct Attention {
  using Element = typename Subject::Element;

  Size size;
  Fused<Element> from;  // queries
  Fused<Element> to;    // keys and values

  explicit Attention(const Size& s, float factor = 1.0f)
      : size(s),
        from("from", s.batch, s.queries, s.heads, s.dim, factor),
        to("to", s.batch, s.keys, s.heads, s.dim, factor) {}

  Tensor<float, 4> expected(float scale) const {
    ReferenceBackend::Context plain;
    Tensor<float, 4> o({size.batch, size.queries, size.heads, size.dim});
    ReferenceBackend::attention(plain, from.part(0), to.part(1), to.part(2), o, scale);
    return o;
  }

  /// The result [batch, query, head, dim]. It is written between guards, `guard` elements before
  /// and after each row; fails if a guard was touched.
  Tensor<float, 4> result(float scale, Index guard = 8,
                          const cuda::DeviceTraits& device = Machine::device()) const {
    const Index row = size.dim + 2 * guard;
    Tensor<Element, 4> held({size.batch, size.queries, size.heads, row});
    for (Index i = 0; i < held.size(); ++i) held.data()[i] = Element(kMark);
    typename Machine::template Memory<Element> a(from.guarded()), b(to.guarded()), c(held);
    const Shape<4> strides = contiguous_strides(held.shape());
    cuda::attention<Element>(
        Machine::stream(), device, from.part(a.data(), 0), to.part(b.data(), 1),
        to.part(b.data(), 2),
        {c.data() + guard, {size.batch, size.queries, size.heads, size.dim}, strides}, scale,
        Subject::kKernel);
    c.read(held);

    Tensor<float, 4> out({size.batch, size.queries, size.heads, size.dim});
    Index touched = 0;
    for (Index i = 0; i < held.size(); ++i) {
      const Index d = i % row - guard;
      const float value = static_cast<float>(held.data()[i]);
      if (d >= 0 && d < size.dim) {
        out.data()[i / row * size.dim + d] = value;
      } else if (!(value == kMark)) {
        ++touched;
      }
    }
    CHECK(touched == 0);
    return out;
  }

  struct Result {
    Tensor<float, 4> o;    // [batch, query, head, dim]
    Tensor<float, 3> lse;  // [batch, query, head]
  };

  Result expected_with_lse(float scale) const {
    ReferenceBackend::Context plain;
    Result expected{Tensor<float, 4>({size.batch, size.queries, size.heads, size.dim}),
                    Tensor<float, 3>({size.batch, size.queries, size.heads})};
    ReferenceBackend::attention(plain, from.part(0), to.part(1), to.part(2), expected.o,
                                expected.lse, scale);
    return expected;
  }

  /// The result and its log-sum-exp, which lies query by query within heads, between guards; fails
  /// if a guard was touched.
  Result result_with_lse(float scale, const cuda::DeviceTraits& device = Machine::device()) const {
    const Index room = size.queries + 2 * kGuardQueries;
    Tensor<Element, 4> o({size.batch, size.queries, size.heads, size.dim});
    Tensor<float, 3> held({size.batch, size.heads, room});
    for (Index i = 0; i < held.size(); ++i) held.data()[i] = kMark;
    typename Machine::template Memory<Element> a(from.guarded()), b(to.guarded()), c(o);
    typename Machine::template Memory<float> d(held);
    cuda::attention<Element>(Machine::stream(), device, from.part(a.data(), 0),
                             to.part(b.data(), 1), to.part(b.data(), 2), {c.data(), o.shape()},
                             {d.data() + kGuardQueries,
                              {size.batch, size.queries, size.heads},
                              {size.heads * room, 1, room}},
                             scale, Subject::kKernel);
    c.read(o);
    d.read(held);

    Result result{Tensor<float, 4>(o.shape()),
                  Tensor<float, 3>({size.batch, size.queries, size.heads})};
    for (Index i = 0; i < o.size(); ++i) result.o.data()[i] = static_cast<float>(o.data()[i]);
    Index touched = 0;
    for (Index n = 0; n < size.batch; ++n) {
      for (Index h = 0; h < size.heads; ++h) {
        for (Index i = 0; i < room; ++i) {
          const Index query = i - kGuardQueries;
          if (query >= 0 && query < size.queries) {
            result.lse(n, query, h) = held(n, h, i);
          } else if (!(held(n, h, i) == kMark)) {
            ++touched;
          }
        }
      }
    }
    CHECK(touched == 0);
    return result;
  }

 private:
  static constexpr Index kGuardQueries = 256;  // the queries of a block, at most
};

/// |a - b| / |b|; NaN if either holds one.
double relative_error(const Tensor<float, 4>& a, const Tensor<float, 4>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (Index i = 0; i < b.size(); ++i) {
    const double x = static_cast<double>(a.data()[i]);
    const double y = static_cast<double>(b.data()[i]);
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

/// The largest |a - b|, 0 for infinities of one sign; NaN if exactly one of the two is NaN.
double largest_difference(const Tensor<float, 3>& a, const Tensor<float, 3>& b) {
  double largest = 0.0;
  for (Index i = 0; i < b.size(); ++i) {
    const float x = a.data()[i];
    const float y = b.data()[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double off = std::abs(static_cast<double>(x) - static_cast<double>(y));
    largest = off <= largest || std::isnan(largest) ? largest : off;
  }
  return largest;
}

/// The error that the log-sum-exp of scores up to `largest` may have. A score is a float sum of up
/// to 128 terms, whose roundings come to about sqrt(128) times 2^-24 of it. Its exponent about the
/// maximum and the result round by 2^-24 of it each; the sum, the exponential and the logarithm by
/// 2^-22.
double log_sum_tolerance(double largest) { return 4e-6 + 16.0 * largest * 0x1p-24; }

float usual_scale(Index dim) { return 1.0f / std::sqrt(static_cast<float>(dim)); }

/// Leaves a test, with a message, if this machine cannot run its kernel.
#define CROSSFIX_NEED_KERNEL(Subject)                                             \
  CROSSFIX_NEED_MACHINE                                                           \
  if (!Subject::available()) {                                                    \
    WARN("skipped, another device is needed by the kernel: " << Subject::name()); \
    return;                                                                       \
  }

}  // namespace

TEMPLATE_LIST_TEST_CASE("Attention kernel equals the reference at awkward sizes", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  std::vector<Size> sizes = {{1, 1, 1, 1, 32},    {1, 7, 1, 3, 64},    {1, 1, 7, 1, 128},
                             {2, 7, 113, 3, 32},  {1, 113, 7, 2, 64},  {1, 64, 64, 8, 32},
                             {2, 64, 113, 2, 64}, {3, 113, 64, 1, 32}, {1, 113, 600, 2, 32},
                             {2, 600, 64, 1, 32}, {1, 64, 600, 1, 64}, {1, 113, 113, 2, 128},
                             {1, 1, 1024, 2, 32}, {1, 1024, 1, 1, 64}, {1, 600, 1024, 1, 32}};
  if (TestType::kKernel != cuda::AttentionKernel::hopper) sizes.push_back({2, 64, 65, 2, 16});
  if (TestType::kExact) {
    for (Index dim : {1, 5, 13, 40, 100}) sizes.push_back({2, 13, 70, 2, dim});
  }
  for (const Size& size : sizes) {
    if (size.queries * size.keys > kMostScores) continue;
    CAPTURE(TestType::name(), size.batch, size.queries, size.keys, size.heads, size.dim);
    const Attention<TestType> test(size);
    const float scale = usual_scale(size.dim);
    CHECK(relative_error(test.result(scale), test.expected(scale)) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel at full size", "[attention]", AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  if (kMostScores < 1024 * 1024) return;
  const Attention<TestType> test({1, 1024, 1024, 1, 32});
  CHECK(relative_error(test.result(0.2f), test.expected(0.2f)) <= TestType::kTolerance);
}

TEMPLATE_LIST_TEST_CASE("Attention kernel under any order of threads and copies", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  for (const Size& size : {Size{2, 130, 200, 1, 32}, {1, 70, 330, 1, 64}, {1, 70, 150, 1, 128}}) {
    const Attention<TestType> test(size);
    const auto expected = test.expected(0.2f);
    for (std::uint64_t seed : Machine::seeds()) {
      CAPTURE(TestType::name(), size.dim, seed);
      Machine::set_seed(seed);
      CHECK(relative_error(test.result(0.2f), expected) <= TestType::kTolerance);
    }
  }
}

TEMPLATE_TEST_CASE("Hopper attention in every configuration, each block with several heads",
                   "[attention]", (AttentionSubject<bfloat16, cuda::AttentionKernel::hopper>),
                   (AttentionSubject<float16, cuda::AttentionKernel::hopper>)) {
  CROSSFIX_NEED_KERNEL(TestType);
  using kernels::Choice32;
  cuda::DeviceTraits device = Machine::device();
  device.multiprocessors = 2;  // as many blocks, over more heads than that
  struct Cut {
    Choice32 choice;
    Size size;
  };
  for (const auto& [choice, size] : {Cut{Choice32::wide, {2, 500, 300, 3, 32}},
                                     {Choice32::medium, {2, 128, 500, 3, 32}},
                                     {Choice32::shared, {2, 60, 300, 3, 32}},
                                     {Choice32::shared, {1, 60, 100, 5, 32}}}) {
    CHECK(kernels::choose32(size.batch * size.heads, size.queries, size.keys,
                            device.multiprocessors) == choice);
    for (const float factor : {1.0f, 4.0f}) {  // one maximum is enough for the scores, or is not
      const Attention<TestType> test(size, factor);
      CAPTURE(TestType::name(), static_cast<int>(choice), factor);
      // Scores up to about 400: as floats they have an error of 2^-24 of that.
      const double tolerance = TestType::kTolerance + 400.0 * 0x1p-24;
      CHECK(relative_error(test.result(factor * 0.2f, 8, device), test.expected(factor * 0.2f)) <=
            tolerance);
    }
  }
  for (const Index dim : {64, 128}) {
    const Attention<TestType> test({2, 200, 300, 3, dim}, 4.0f);
    CAPTURE(TestType::name(), dim);
    CHECK(relative_error(test.result(0.8f, 8, device), test.expected(0.8f)) <=
          TestType::kTolerance + 1000.0 * 0x1p-24);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel's log-sum-exp at awkward sizes", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  for (const Size& size :
       {Size{1, 1, 1, 1, 32}, Size{2, 7, 113, 3, 32}, Size{1, 113, 7, 2, 64},
        Size{2, 130, 200, 2, 32}, Size{1, 70, 330, 2, 64}, Size{1, 70, 150, 2, 128}}) {
    if (size.queries * size.keys > kMostScores) continue;
    CAPTURE(TestType::name(), size.batch, size.queries, size.keys, size.heads, size.dim);
    const Attention<TestType> test(size);
    const float scale = usual_scale(size.dim);
    const auto found = test.result_with_lse(scale);
    CHECK(largest_difference(found.lse, test.expected_with_lse(scale).lse) <=
          log_sum_tolerance(10.0));
    // To ask for it changes nothing else.
    const auto alone = test.result(scale);
    CHECK(std::equal(alone.data(), alone.data() + alone.size(), found.o.data()));
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel's log-sum-exp of sharp, negative and rising scores",
                        "[attention]", AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  const Attention<TestType> sharp({1, 64, 600, 2, 32}, 4.0f);
  for (float scale : {3.0f, -0.5f, 0.0f}) {
    CAPTURE(TestType::name(), scale);
    CHECK(
        largest_difference(sharp.result_with_lse(scale).lse, sharp.expected_with_lse(scale).lse) <=
        log_sum_tolerance(2000.0 * static_cast<double>(std::abs(scale))));
  }
  Attention<TestType> rising({1, 5, 250, 1, 32});
  for (Index i = 0; i < 5; ++i) {
    for (Index d = 0; d < 32; ++d) rising.from(0, i, 0, 0, d) = d == 0 ? 1.0f : 0.0f;
  }
  for (Index j = 0; j < 250; ++j) rising.to(0, j, 1, 0, 0) = static_cast<float>(16 * j);
  for (float scale : {0.01f, 1.0f, -1.0f}) {
    CAPTURE(TestType::name(), scale);
    CHECK(largest_difference(rising.result_with_lse(scale).lse,
                             rising.expected_with_lse(scale).lse) <= log_sum_tolerance(4000.0));
  }
}

TEMPLATE_TEST_CASE("Hopper attention's log-sum-exp in every configuration", "[attention]",
                   (AttentionSubject<bfloat16, cuda::AttentionKernel::hopper>),
                   (AttentionSubject<float16, cuda::AttentionKernel::hopper>)) {
  CROSSFIX_NEED_KERNEL(TestType);
  cuda::DeviceTraits device = Machine::device();
  device.multiprocessors = 2;  // as many blocks, over more heads than that
  for (const Size& size :
       {Size{2, 500, 300, 3, 32}, Size{2, 128, 500, 3, 32}, Size{2, 60, 300, 3, 32},
        Size{1, 60, 100, 5, 32}, Size{2, 200, 300, 3, 64}, Size{2, 200, 300, 3, 128}}) {
    for (const float factor : {1.0f, 4.0f}) {  // one maximum is enough for the scores, or is not
      const Attention<TestType> test(size, factor);
      CAPTURE(TestType::name(), size.queries, size.keys, size.dim, factor);
      CHECK(largest_difference(test.result_with_lse(factor * 0.2f, device).lse,
                               test.expected_with_lse(factor * 0.2f).lse) <=
            log_sum_tolerance(factor == 1.0f ? 30.0 : 1000.0));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel writes rows of any alignment", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  if (TestType::kAlignedOutputs) return;
  for (Index guard : {1, 2, 3, 4}) {
    CAPTURE(TestType::name(), guard);
    const Attention<TestType> test({2, 13, 20, 2, 32});
    CHECK(relative_error(test.result(0.2f, guard), test.expected(0.2f)) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel with sharp or negative scores", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  const Attention<TestType> test({1, 64, 600, 2, 32}, 4.0f);
  for (float scale : {3.0f, -0.5f, 0.0f}) {
    CAPTURE(TestType::name(), scale);
    // Scores up to about 2000 |scale|: as floats they have an error of 2^-24 of that, which is the
    // relative error of a weight.
    const double tolerance = TestType::kTolerance + 2000.0 * std::abs(scale) * 0x1p-24;
    CHECK(relative_error(test.result(scale), test.expected(scale)) <= tolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel whose maximum rises with every key", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  // Scores are multiples of 16 that rise, or fall, in steps that a 16-bit element can hold. In
  // every tile the sums so far lose, or keep, nearly all of their weight.
  for (float direction : {1.0f, -1.0f}) {
    Attention<TestType> test({1, 5, 250, 1, 32});
    for (Index i = 0; i < 5; ++i) {
      for (Index d = 0; d < 32; ++d) test.from(0, i, 0, 0, d) = d == 0 ? direction : 0.0f;
    }
    for (Index j = 0; j < 250; ++j) test.to(0, j, 1, 0, 0) = static_cast<float>(16 * j);
    CAPTURE(TestType::name(), direction);
    CHECK(relative_error(test.result(0.01f), test.expected(0.01f)) <= TestType::kTolerance);
    CHECK(relative_error(test.result(1.0f), test.expected(1.0f)) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel over values whose weighted sums overflow", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  // After the first 256 keys the weights are larger by 2^50. Relative to the first maximum, the sum
  // of the weights is still a float, but the sum of the weighted values is not.
  const float large = std::is_same_v<typename TestType::Element, float16> ? 0x1p14f : 0x1p100f;
  for (const Index dim : {32, 64, 128}) {
    Attention<TestType> test({1, 70, 600, 2, dim});
    CAPTURE(TestType::name(), dim);
    for (Index h = 0; h < 2; ++h) {
      for (Index i = 0; i < 70; ++i) {
        for (Index d = 0; d < dim; ++d) test.from(0, i, 0, h, d) = d == 0 ? 1.0f : 0.0f;
      }
      for (Index j = 0; j < 600; ++j) {
        test.to(0, j, 1, h, 0) = j < 256 ? 0.0f : 35.0f;
        for (Index d = 0; d < dim; ++d) {
          test.to(0, j, 2, h, d) = (j + d) % 3 == 0 ? -0.5f * large : large;
        }
      }
    }
    CHECK(relative_error(test.result(1.0f), test.expected(1.0f)) <= TestType::kTolerance);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel over no keys gives zeros", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  for (Index dim : {32, 64, 128}) {
    const auto o = Attention<TestType>({2, 130, 0, 2, dim}).result(1.0f);
    Index others = 0;
    for (Index i = 0; i < o.size(); ++i) others += o.data()[i] == 0.0f ? 0 : 1;
    CHECK(others == 0);
    const auto result = Attention<TestType>({2, 130, 0, 2, dim}).result_with_lse(1.0f);
    for (Index i = 0; i < result.o.size(); ++i) others += result.o.data()[i] == 0.0f ? 0 : 1;
    for (Index i = 0; i < result.lse.size(); ++i) {
      others += result.lse.data()[i] == -kInfinity ? 0 : 1;
    }
    CHECK(others == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel treats infinite and NaN scores as a softmax does",
                        "[attention]", AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  const Index keys = 300;  // more than any kernel takes at once
  struct Edit {
    const char* what;
    Index first, last;  // keys edited
    float value;
  };
  for (const auto& [what, first, last, value] :
       {Edit{"one key of -inf", 17, 18, -kInfinity},
        Edit{"the first keys -inf", 0, 256, -kInfinity},
        Edit{"the last keys -inf", 256, 300, -kInfinity},
        Edit{"all but one -inf", 0, 299, -kInfinity}, Edit{"all -inf", 0, 300, -kInfinity},
        Edit{"one key of +inf", 290, 291, kInfinity}, Edit{"one early +inf", 2, 3, kInfinity},
        Edit{"one NaN", 3, 4, kNan}, Edit{"the last NaN", 299, 300, kNan}}) {
    for (float scale : {0.3f, -0.3f, 0.0f}) {
      CAPTURE(TestType::name(), what, scale);
      Attention<TestType> test({1, 5, keys, 1, 32});
      for (Index i = 0; i < 5; ++i) test.from(0, i, 0, 0, 0) = 1.0f;  // scores have the key's sign
      for (Index j = first; j < last; ++j) test.to(0, j, 1, 0, 0) = value;
      const auto expected = test.expected(scale);
      const auto o = test.result(scale);
      if (std::isnan(expected(0, 0, 0, 0))) {
        Index numbers = 0;
        for (Index i = 0; i < o.size(); ++i) {
          numbers += std::isnan(o.data()[i]) && std::isnan(expected.data()[i]) ? 0 : 1;
        }
        CHECK(numbers == 0);
      } else {
        CHECK(relative_error(o, expected) <= TestType::kTolerance);
      }
      // With the log-sum-exp it is the same, except for zeros if no key has a weight.
      const auto wanted = test.expected_with_lse(scale);
      const auto found = test.result_with_lse(scale);
      CHECK(largest_difference(found.lse, wanted.lse) <= log_sum_tolerance(10.0));
      Index different = 0;
      for (Index i = 0; i < o.size(); ++i) {
        const float one = wanted.o.data()[i];
        const float other = found.o.data()[i];
        different +=
            std::isnan(one) == std::isnan(other) && (one == 0.0f) == (other == 0.0f) ? 0 : 1;
      }
      CHECK(different == 0);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Attention kernel gives zeros for a row that no key has a weight in",
                        "[attention]", AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  Attention<TestType> test({1, 70, 300, 2, 32});
  for (Index i = 0; i < 70; ++i) {  // the first of two heads: all but the last query
    for (Index d = 0; d < 32; ++d) test.from(0, i, 0, 0, d) = d == 0 && i < 69 ? 1.0f : 0.0f;
    test.from(0, i, 0, 0, 1) = 1.0f;
  }
  for (Index j = 0; j < 300; ++j) test.to(0, j, 1, 0, 0) = -kInfinity;
  test.to(0, 7, 2, 0, 3) = kInfinity;  // a value without weight
  const auto found = test.result_with_lse(0.3f);
  Index wrong = 0;
  for (Index i = 0; i < 69; ++i) {
    wrong += found.lse(0, i, 0) == -kInfinity && std::isfinite(found.lse(0, i, 1)) ? 0 : 1;
    for (Index d = 0; d < 32; ++d) wrong += found.o(0, i, 0, d) == 0.0f ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEMPLATE_LIST_TEST_CASE("Attention kernel keeps a NaN in its row and in its column", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  Attention<TestType> test({2, 70, 100, 2, 32});
  test.from(1, 4, 0, 1, 7) = kNan;  // a query: its row
  test.to(0, 99, 2, 0, 5) = kNan;   // a value: its dim of every row of the head
  const auto o = test.result(0.2f);
  Index wrong = 0;
  for (Index b = 0; b < 2; ++b) {
    for (Index i = 0; i < 70; ++i) {
      for (Index h = 0; h < 2; ++h) {
        for (Index d = 0; d < 32; ++d) {
          const bool nan = (b == 1 && i == 4 && h == 1) || (b == 0 && h == 0 && d == 5);
          if (std::isnan(o(b, i, h, d)) != nan) ++wrong;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEMPLATE_LIST_TEST_CASE("Attention kernel takes repeated and reversed tokens", "[attention]",
                        AttentionSubjects) {
  CROSSFIX_NEED_KERNEL(TestType);
  using Element = typename TestType::Element;
  if (TestType::kKernel == cuda::AttentionKernel::hopper) return;  // tensor maps support neither
  const Index queries = 9, keys = 70, dim = 32;
  const Tensor<float, 4> values = features("strides", Shape<4>{1, keys, 1, dim});
  Tensor<Element, 4> held({1, keys, 1, dim}), o({1, queries, 1, dim});
  Tensor<float, 4> stored({1, keys, 1, dim}), expected({1, queries, 1, dim});
  for (Index i = 0; i < held.size(); ++i) {
    held.data()[i] = Element(values.data()[i]);
    stored.data()[i] = static_cast<float>(held.data()[i]);
  }
  typename Machine::template Memory<Element> a(held), c(o);
  const auto views = [&](auto* data, auto space) {
    using T = std::remove_pointer_t<decltype(data)>;
    using View = TensorView<const T, 4, decltype(space)>;
    const Index last = (keys - 1) * dim;
    return std::array{View(data, {1, queries, 1, dim}, {0, 0, 0, 1}),  // one query, repeated
                      View(data + last, {1, keys, 1, dim}, {0, -dim, 0, 1}),
                      View(data, {1, keys, 1, dim}, {0, dim, 0, 1})};
  };
  const auto device = views(a.data(), DeviceSpace{});
  cuda::attention<Element>(Machine::stream(), Machine::device(), device[0], device[1], device[2],
                           {c.data(), o.shape()}, 0.2f, TestType::kKernel);
  c.read(o);
  const auto host = views(stored.data(), HostSpace{});
  ReferenceBackend::Context plain;
  ReferenceBackend::attention(plain, host[0], host[1], host[2], expected, 0.2f);
  Tensor<float, 4> result(o.shape());
  for (Index i = 0; i < o.size(); ++i) result.data()[i] = static_cast<float>(o.data()[i]);
  CHECK(relative_error(result, expected) <= TestType::kTolerance);
}

TEST_CASE("Attention takes the kernel for the device, the element and the alignment",
          "[attention]") {
  using cuda::AttentionKernel;
  const auto result = [](auto subject, const cuda::DeviceTraits& device, Index dim = 32,
                         Index guard = 8) {
    return Attention<decltype(subject)>({1, 70, 100, 2, dim}).result(0.2f, guard, device);
  };
  const auto equal = [](const Tensor<float, 4>& a, const Tensor<float, 4>& b) {
    return std::equal(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
  };
  const AttentionSubject<bfloat16, AttentionKernel::automatic> automatic;
  using Hopper = AttentionSubject<bfloat16, AttentionKernel::hopper>;
  const Hopper hopper;
  const AttentionSubject<bfloat16, AttentionKernel::ampere> ampere;
  CROSSFIX_NEED_KERNEL(Hopper);
  const cuda::DeviceTraits h = Machine::device();
  cuda::DeviceTraits older = h;
  older.compute_capability = 86;
  cuda::DeviceTraits newer = h;
  newer.compute_capability = 120;
  // The kernels round differently; otherwise this test would show nothing.
  REQUIRE_FALSE(equal(result(hopper, h), result(ampere, h)));
  CHECK(equal(result(automatic, h), result(hopper, h)));
  CHECK(equal(result(automatic, older), result(ampere, h)));
  CHECK(equal(result(automatic, newer), result(ampere, h)));
  CHECK(equal(result(automatic, h, 16), result(ampere, h, 16)));
  CHECK(equal(result(automatic, h, 32, 1), result(ampere, h, 32, 1)));
  const AttentionSubject<float, AttentionKernel::automatic> automatic_float;
  const AttentionSubject<float, AttentionKernel::exact> exact;
  CHECK(equal(result(automatic_float, h), result(exact, h)));
}

}  // namespace crossfix::test::attention_test
