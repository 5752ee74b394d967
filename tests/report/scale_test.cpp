#include "report/scale.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "crossfix/core/error.hpp"

using namespace crossfix;
using namespace crossfix::report;

namespace {

void check_values(const std::vector<double>& got, const std::vector<double>& right) {
  REQUIRE(got.size() == right.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(right[i]).margin(1e-12));
}

}  // namespace

TEST_CASE("rounding goes to 1, 2 and 5 times powers of ten") {
  for (const double exact : {0.001, 0.2, 1.0, 5.0, 20.0, 1e6}) {
    CHECK(round_up(exact) == Approx(exact));
    CHECK(round_down(exact) == Approx(exact));
  }
  CHECK(round_up(5.1) == Approx(10));
  CHECK(round_up(0.021) == Approx(0.05));
  CHECK(round_down(0.049) == Approx(0.02));
  CHECK(round_down(99) == Approx(50));
  CHECK(round_end(0) == 1);
  CHECK(round_end(6.7) == Approx(8));
  CHECK(round_end(10) == Approx(10));
  for (const double wrong : {0.0, -1.0, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(round_up(wrong), ShapeError);
  }
}

TEST_CASE("ticks are round, within the ends, and not too many") {
  check_values(round_ticks(0, 1, 5), {0, 0.2, 0.4, 0.6, 0.8, 1});
  check_values(round_ticks(0, 3, 10, 1), {0, 1, 2, 3});
  check_values(round_ticks(-3, 12, 4), {0, 5, 10});
  for (const double high : {1e-7, 0.3, 0.7, 1.1, 17.0, 99.0, 101.0, 12345.6}) {
    const std::vector<double> ticks = round_ticks(0, high, 6);
    CHECK(ticks.front() == 0);
    CHECK(ticks.back() <= high * (1 + 1e-6));
    CHECK(ticks.size() >= 3);
    CHECK(ticks.size() <= 7);
  }
  CHECK_THROWS_AS(round_ticks(1, 1, 5), ShapeError);
  CHECK_THROWS_AS(round_ticks(0, std::numeric_limits<double>::infinity(), 5), ShapeError);
}

TEST_CASE("decades have 1, 2 and 5 where there is room") {
  check_values(decade_ticks(0.1, 10, 12), {0.1, 0.2, 0.5, 1, 2, 5, 10});
  check_values(decade_ticks(0.05, 100, 6), {0.1, 1, 10, 100});
  check_values(decade_ticks(1e-4, 1e4, 5), {1e-4, 1e-2, 1, 1e2, 1e4});
  check_values(decade_ticks(2, 5, 1), {2, 5});
  CHECK_THROWS_AS(decade_ticks(0, 10, 5), ShapeError);
}

TEST_CASE("an axis scales, labels and reads values") {
  Axis share;
  share.factor = 100;
  share.unit = " %";
  share.choose_ticks(4);
  check_values(share.ticks, {0, 0.5, 1});
  CHECK(share.tick_labels() == std::vector<std::string>{"0", "50", "100"});
  CHECK(share.reading(0.123456) == "12.3 %");
  CHECK(share.fraction(0.25) == Approx(0.25));
  CHECK(share.fraction(-1) == 0);
  CHECK(share.fraction(2) == 1);

  Axis metres;
  metres.spacing = Spacing::logarithmic;
  metres.low = 0.1;
  metres.high = 10;
  metres.unit = " m";
  metres.choose_ticks(8);
  CHECK(metres.tick_labels() == std::vector<std::string>{"0.1", "0.2", "0.5", "1", "2", "5", "10"});
  CHECK(metres.fraction(1) == Approx(0.5));
  CHECK(metres.fraction(0) == 0);
  CHECK(metres.reading(2.678) == "2.68 m");
  CHECK(metres.reading(999.6) == "1000 m");

  Axis fine;
  fine.high = 0.3;
  fine.choose_ticks(3);
  CHECK(fine.tick_labels() == std::vector<std::string>{"0.0", "0.1", "0.2", "0.3"});
  fine.names = {"a", "b", "c", "d"};
  CHECK(fine.tick_labels() == fine.names);
}
