#include "crossfix/cuda/softmax.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/rows.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::softmax_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Layout {
  const char* what;
  Index padding;  // added to a row's length to give the stride
  Index start;    // of the first row, in elements
};

/// Runs one softmax on memory laid out as `layout` says, next to the expected result.
template <class Element>
struct Problem {
  Index rows, columns, bias_rows;
  float scale;
  Rows<Element> x;
  Rows<float> bias;
  Rows<Element> y;

  Problem(Index r, Index n, Index b, float s, const Layout& layout)
      : rows(r),
        columns(n),
        bias_rows(b),
        scale(s),
        x(r, n, n + layout.padding, layout.start),
        bias(std::max<Index>(b, 1), n, n + layout.padding, layout.start),
        y(r, n, n + layout.padding, layout.start) {
    const auto values = features("x", Shape<2>{r, n});
    const auto added = features("bias", Shape<2>{std::max<Index>(b, 1), n});
    fill(x, [&](Index i, Index j) { return values(i, j); });
    fill(bias, [&](Index i, Index j) { return added(i, j); });
  }

  void run() {
    const auto device = Machine::device();
    if (bias_rows == 0) {
      cuda::softmax(Machine::stream(), device, x.const_device(), scale, y.device());
    } else {
      cuda::softmax(Machine::stream(), device, x.const_device(), scale, bias.const_device(),
                    y.device());
    }
    y.fetch();
  }

  double score(Index row, Index column) const {
    const double s = static_cast<double>(scale) * static_cast<float>(x(row, column));
    return bias_rows == 0 ? s : s + static_cast<double>(bias(row % bias_rows, column));
  }

  /// The largest error of a row, as a share of the tolerance.
  double worst(Index row, const Rows<Element>& result) const {
    double largest = -std::numeric_limits<double>::infinity();
    double widest = 0;
    for (Index j = 0; j < columns; ++j) {
      largest = std::max(largest, score(row, j));
      if (std::isfinite(score(row, j))) widest = std::max(widest, std::abs(score(row, j)));
    }
    double sum = 0;
    for (Index j = 0; j < columns; ++j) sum += std::exp(score(row, j) - largest);
    // A score has an error of a few 2^-24 of itself, which is the relative error of its weight;
    // each exp2 has one of 2^-22; the sum of a tree of float sums has less.
    const double share = kRounding<Element> * 1.01 + 0x1p-20 + widest * 0x1p-21;
    double result_worst = 0;
    for (Index j = 0; j < columns; ++j) {
      const double expected = std::exp(score(row, j) - largest) / sum;
      result_worst = worse(result_worst, error_share(result(row, j), expected,
                                                     share * expected + kSmallest<Element>));
    }
    return result_worst;
  }

  bool all_nan(Index row) const {
    for (Index j = 0; j < columns; ++j) {
      if (!std::isnan(static_cast<float>(y(row, j)))) return false;
    }
    return true;
  }
};

/// Number of elements that fill 16-byte vectors up to a multiple.
template <class Element>
Index padding_of(Index columns) {
  constexpr Index kVector = 16 / sizeof(Element) > 4 ? 8 : 4;
  return (kVector - columns % kVector) % kVector;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Softmax kernel: rows of any length and layout", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const Index n : {1, 7, 31, 64, 113, 600, 1000, 4096, 5000, 20000, 65536}) {
    const Index rows = n < 1000 ? 9 : 2;
    for (const Layout& layout : {Layout{"aligned", padding_of<TestType>(n), 0},
                                 Layout{"a gap, aligned", padding_of<TestType>(n) + 8, 8},
                                 Layout{"misaligned start", padding_of<TestType>(n), 1},
                                 Layout{"misaligned stride", 3, 0}}) {
      if (n > 10000 && layout.padding > 3) continue;
      Machine::set_seed(++seed);
      CAPTURE(n, layout.what);
      Problem<TestType> plain(rows, n, 0, 1.0f, layout);
      plain.run();
      for (Index i = 0; i < rows; ++i) REQUIRE(plain.worst(i, plain.y) <= 1.0);
      REQUIRE(plain.y.marks_hold());

      Problem<TestType> biased(rows, n, rows == 9 ? 3 : 1, -2.5f, layout);
      biased.run();
      for (Index i = 0; i < rows; ++i) REQUIRE(biased.worst(i, biased.y) <= 1.0);
      REQUIRE(biased.y.marks_hold());
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Softmax kernel: sharp rows, and scales that are zero", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  for (const Index n : {64, 3000, 40000}) {
    for (const float scale : {300.0f, 0.0f}) {
      CAPTURE(n, scale);
      Problem<TestType> problem(1, n, 0, scale, {"aligned", padding_of<TestType>(n), 0});
      problem.run();
      REQUIRE(problem.worst(0, problem.y) <= 1.0);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Softmax kernel: infinities and NaN as the formula has them", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  for (const Index n : {7, 600, 5000, 40000}) {
    for (const Index start : {0, 1}) {
      CAPTURE(n, start);
      Problem<TestType> problem(5, n, 0, 1.0f, {"", padding_of<TestType>(n), start});
      for (Index j = 0; j < n; ++j) {
        // Whole threads and whole steps without elements, and a last element that counts.
        if (j != n - 1 && j != 3) problem.x(1, j) = TestType(-kInfinity);
        problem.x(2, j) = TestType(-kInfinity);
      }
      problem.x(3, n / 2) = TestType(kInfinity);
      problem.x(4, n - 1) = TestType(std::numeric_limits<float>::quiet_NaN());
      problem.run();
      REQUIRE(problem.worst(0, problem.y) <= 1.0);
      REQUIRE(problem.worst(1, problem.y) <= 1.0);
      REQUIRE(problem.all_nan(2));
      REQUIRE(problem.all_nan(3));
      REQUIRE(problem.all_nan(4));
      REQUIRE(problem.y.marks_hold());
    }
  }
}

TEMPLATE_LIST_TEST_CASE("Softmax kernel: in place", "[kernels]", Elements) {
  CROSSFIX_NEED_MACHINE
  for (const Index n : {113, 600, 5000, 40000}) {
    CAPTURE(n);
    Problem<TestType> problem(2, n, 0, 1.0f, {"", padding_of<TestType>(n), 0});
    const Problem<TestType> source(2, n, 0, 1.0f, {"", padding_of<TestType>(n), 0});
    cuda::softmax(Machine::stream(), Machine::device(), problem.x.const_device(), 1.0f,
                  problem.x.device());
    problem.x.fetch();
    for (Index i = 0; i < 2; ++i) REQUIRE(source.worst(i, problem.x) <= 1.0);
  }
}

TEST_CASE("Softmax kernel: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  Rows<float> x(6, 8, 8, 0), y(6, 8, 8, 0), tall(7, 8, 8, 0), bias(4, 8, 8, 0), none(0, 8, 8, 0);
  const auto softmax = [](const auto&... arguments) {
    cuda::softmax<float>(Machine::stream(), kH200, arguments...);
  };
  CHECK_THROWS_AS(softmax(x.const_device(), 1.0f, tall.device()), ShapeError);
  CHECK_THROWS_AS(softmax(x.const_device(), 1.0f, bias.const_device(), y.device()), ShapeError);
  const TensorView<const float, 2, DeviceSpace> gapped(x.device().data(), {6, 4}, {8, 2});
  CHECK_THROWS_AS(softmax(gapped, 1.0f, y.device().slice(1, 0, 4)), ShapeError);
  softmax(none.const_device(), 1.0f, none.device());  // no rows: nothing to do
}

}  // namespace crossfix::test::softmax_test
