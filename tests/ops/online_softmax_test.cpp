#include "crossfix/ops/online_softmax.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/counter_generator.hpp"

namespace crossfix::test::online_softmax_test {
namespace {

/// One softmax in double.
struct Plain {
  using Real = double;
  static double set(float a) { return static_cast<double>(a); }
  static double maximum(double a, double b) { return std::max(a, b); }
  static double add(double a, double b) { return a + b; }
  static double subtract(double a, double b) { return a - b; }
  static double multiply(double a, double b) { return a * b; }
  static double exp2(double a) { return std::exp2(a); }
  static double log2(double a) { return std::log2(a); }
};
using State = ops::OnlineSoftmax<Plain>;

struct Sum {
  State state;
  double weighted = 0.0;

  void add(double score, double value) {
    weighted *= state.update_maximum(score);
    state.sum += state.weight(score);
    weighted += state.weight(score) * value;
  }
  void merge(const Sum& other) {
    const auto factors = state.merge(other.state);
    weighted = weighted * factors.own + other.weighted * factors.other;
  }
  double mean() const { return weighted / state.sum; }
};

}  // namespace

TEST_CASE("An online softmax equals the softmax of all scores, in any grouping", "[ops]") {
  const auto scores = features("scores", Shape<1>{100});
  const auto values = features("values", Shape<1>{100});
  double total = 0.0;
  double weighted = 0.0;
  for (Index i = 0; i < 100; ++i) {
    total += std::exp2(30.0 * static_cast<double>(scores(i)));
    weighted += std::exp2(30.0 * static_cast<double>(scores(i))) * static_cast<double>(values(i));
  }
  for (Index split : {0, 1, 50, 99, 100}) {
    Sum first, second;
    for (Index i = 0; i < 100; ++i) {
      (i < split ? first : second)
          .add(30.0 * static_cast<double>(scores(i)), static_cast<double>(values(i)));
    }
    first.merge(second);
    CAPTURE(split);
    REQUIRE(std::abs(first.mean() - weighted / total) <= 1e-13);
    REQUIRE(std::abs(std::log2(first.state.sum) + first.state.maximum - std::log2(total)) <= 1e-12);
  }
}

TEST_CASE("States made of log-sum-exps merge as those that they stand for", "[ops]") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double a : {-infinity, -800.0, 0.0, 3.0, 700.0}) {
    for (const double b : {-infinity, -3.0, 699.0}) {
      CAPTURE(a, b);
      State state = State::of_log_sum(a);
      REQUIRE((a == state.log_sum() || std::abs(state.log_sum() - a) <= 1e-4));
      const auto factors = state.merge(State::of_log_sum(b));
      const double largest = std::max(a, b);
      if (std::isinf(largest)) {
        REQUIRE(state.log_sum() == -infinity);
        continue;
      }
      // The constants are floats: a logarithm has a relative error of 2^-24 in each direction.
      const double total = std::exp(a - largest) + std::exp(b - largest);
      REQUIRE(std::abs(state.log_sum() - (largest + std::log(total))) <= 1e-4);
      REQUIRE(std::abs(factors.own / state.sum - std::exp(a - largest) / total) <= 1e-4);
      REQUIRE(std::abs(factors.other / state.sum - std::exp(b - largest) / total) <= 1e-4);
    }
  }
}

TEST_CASE("An online softmax passes over scores of -inf", "[ops]") {
  const double infinity = std::numeric_limits<double>::infinity();
  Sum sum;
  sum.add(-infinity, 5.0);
  REQUIRE(sum.state.maximum == -infinity);
  sum.add(-3.0, 2.0);
  sum.add(-infinity, 7.0);
  sum.add(-3.0, 4.0);
  REQUIRE(sum.mean() == 3.0);
  Sum nothing;
  sum.merge(nothing);
  REQUIRE(sum.mean() == 3.0);
  nothing.merge(sum);
  REQUIRE(nothing.mean() == 3.0);
}

}  // namespace crossfix::test::online_softmax_test
