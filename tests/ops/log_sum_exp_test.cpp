#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "ops/subjects.hpp"

namespace crossfix::test::log_sum_exp_test {
namespace {

template <class Subject>
struct Marginals {
  Tensor<float, 1> of_rows, of_columns;

  Marginals(const typename Subject::Backend::Target& target, const Tensor<float, 2>& scores,
            const Tensor<float, 1>& bias, float scale)
      : of_rows({scores.extent(0)}), of_columns({scores.extent(1)}) {
    typename Subject::Backend::Context context(target, 0);
    Memory<Subject, float, 2> x(target, scores);
    Memory<Subject, float, 1> added(target, bias);
    Memory<Subject, float, 1> rows(target, marked(of_rows.shape()));
    Memory<Subject, float, 1> columns(target, marked(of_columns.shape()));
    Subject::Backend::log_sum_exp(context, x.const_view(), added.const_view(), scale, rows.view(),
                                  columns.view());
    of_rows = rows.read(context);
    of_columns = columns.read(context);
  }
};

/// The largest |a - b| as a share of the tolerance, for the logits of a posterior: a rounding of
/// the result and of the terms of the sum.
double worst(const Tensor<float, 1>& found, const Tensor<float, 1>& expected) {
  double largest = 0;
  for (Index i = 0; i < expected.size(); ++i) {
    const auto value = static_cast<double>(expected(i));
    const double error =
        std::abs(static_cast<double>(found(i)) - value) / (4e-6 + std::abs(value) * 0x1p-22);
    largest = error <= largest || std::isnan(largest) ? largest : error;
  }
  return largest;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Log-sum-exp of both axes equals the reference", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  for (const Index rows : {1, 2, 18, 90}) {
    for (const Index columns : {1, 3, 16, 257, 1000}) {
      for (const float scale : {1.0f, 50.0f}) {
        CAPTURE(TestType::name(), rows, columns, scale);
        auto scores = features("scores", Shape<2>{rows, columns});
        // A column and a row far below the others keep their digits.
        for (Index r = 0; r < rows; ++r) scores(r, columns - 1) -= 100.0f / scale;
        for (Index c = 0; c < columns; ++c) scores(rows - 1, c) -= 200.0f / scale;
        const auto bias = features("bias", Shape<1>{rows});
        Tensor<float, 1> of_rows({rows});
        Tensor<float, 1> of_columns({columns});
        ReferenceBackend::Context plain;
        ReferenceBackend::log_sum_exp(plain, scores, bias, scale, of_rows, of_columns);
        for (const auto& target : TestType::targets()) {
          const Marginals<TestType> found(target, scores, bias, scale);
          REQUIRE(worst(found.of_rows, of_rows) <= 1.0);
          REQUIRE(worst(found.of_columns, of_columns) <= 1.0);
        }
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("A NaN among scores shows in its row and column alone", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  auto scores = features("scores", Shape<2>{5, 40});
  scores(3, 21) = std::numeric_limits<float>::quiet_NaN();
  const Marginals<TestType> found(TestType::target(), scores, Tensor<float, 1>({5}), 2.0f);
  for (Index r = 0; r < 5; ++r) REQUIRE(std::isnan(found.of_rows(r)) == (r == 3));
  for (Index c = 0; c < 40; ++c) REQUIRE(std::isnan(found.of_columns(c)) == (c == 21));
}

TEMPLATE_LIST_TEST_CASE("Log-sum-exp refuses what does not fit", "[ops]", KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  const auto refuses = [&](const Shape<2>& scores, Index rows, Index columns, Index biases,
                           float scale = 1.0f) {
    Memory<TestType, float, 2> x(target, scores);
    Memory<TestType, float, 1> bias(target, Shape<1>{biases});
    Memory<TestType, float, 1> of_rows(target, Shape<1>{rows});
    Memory<TestType, float, 1> of_columns(target, Shape<1>{columns});
    REQUIRE_THROWS_AS(TestType::Backend::log_sum_exp(context, x.const_view(), bias.const_view(),
                                                     scale, of_rows.view(), of_columns.view()),
                      ShapeError);
  };
  refuses({3, 4}, 4, 4, 3);
  refuses({3, 4}, 3, 3, 3);
  refuses({3, 4}, 3, 4, 4);
  refuses({0, 4}, 0, 4, 0);
  refuses({3, 0}, 3, 0, 3);
  refuses({3, 4}, 3, 4, 3, 0.0f);
  refuses({3, 4}, 3, 4, 3, HUGE_VALF);
}

TEMPLATE_LIST_TEST_CASE("What is written to a backend's memory is read back", "[ops]",
                        KernelSubjects) {
  CROSSFIX_NEED(TestType);
  const auto target = TestType::target();
  typename TestType::Backend::Context context(target, 0);
  auto values = features("values", Shape<1>{37});
  Memory<TestType, float, 1> y(target, marked(values.shape()));
  TestType::Backend::write(context, values.data(), y.view().slice(0, 3, 37));
  const auto found = y.read(context);
  for (Index i = 0; i < 37; ++i) REQUIRE(found(i) == (i < 3 ? kMark : values(i - 3)));
}

}  // namespace crossfix::test::log_sum_exp_test
