#include "eval/nowhere.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "eval/evaluation.hpp"
#include "eval/mode_figures.hpp"
#include "two_cities.hpp"

using namespace crossfix;
using eval::Judged;

namespace {

/// Pairs of `nowhere` as given, with a radius of 2 m; a ground image has a right and a wrong one.
std::vector<Judged> pairs_of(const std::vector<double>& right, const std::vector<double>& wrong) {
  std::vector<Judged> pairs;
  for (std::size_t i = 0; i < right.size(); ++i) pairs.push_back({i, false, right[i], 2});
  for (std::size_t i = 0; i < wrong.size(); ++i) pairs.push_back({i, true, wrong[i], 2});
  return pairs;
}

/// Two cities, whose first city's pairs were located a second time with other ground images.
test::TwoCities with_wrong_pairs() {
  test::TwoCities some;
  for (std::size_t i = 0; i < 8; ++i) {
    some.outcomes[i].answer->nowhere = static_cast<double>(i) / 8;
    if (i >= 4 || i == 1) continue;
    data::Sample wrong = some.set.samples[i];
    wrong.number = some.set.samples.size();
    wrong.ground = std::to_string(1 - i / 2);
    wrong.wrong = true;
    some.set.samples.push_back(wrong);
    eval::Outcome outcome = some.outcomes[i];
    outcome.answer->nowhere = 1 - static_cast<double>(i) / 4;
    some.outcomes.push_back(outcome);
  }
  return some;
}

}  // namespace

TEST_CASE("the area counts the couples that are the right way round, equal ones half") {
  // Of twelve couples the wrong one is above in 4 + 3 + 1, and equal in one.
  const auto figures = eval::compare(pairs_of({0.1, 0.2, 0.5, 0.7}, {0.9, 0.6, 0.2}));
  CHECK(figures.right == 4);
  CHECK(figures.wrong == 3);
  CHECK(figures.area.value == Approx(8.5 / 12));
  CHECK(figures.area.low < figures.area.value);
  CHECK(figures.area.high > figures.area.value);
  CHECK(figures.right_not_here == 0.5);  // one half is called so
  CHECK(figures.wrong_not_here == Approx(2.0 / 3));
  CHECK(figures.wrong_small_radius == Approx(1.0 / 3));
  const std::vector<std::pair<double, double>> curve{
      {0, 0}, {0, 1.0 / 3}, {0.25, 1.0 / 3}, {0.25, 2.0 / 3}, {0.5, 2.0 / 3}, {0.75, 1}, {1, 1}};
  REQUIRE(figures.curve.size() == curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    CHECK(figures.curve[i].right == Approx(curve[i].first));
    CHECK(figures.curve[i].wrong == Approx(curve[i].second));
  }
  CHECK(figures.curve[0].threshold > 1);
  CHECK(figures.curve[1].threshold == 0.9);
  CHECK(figures.curve.back().threshold == 0.1);
}

TEST_CASE("the area is 1 if all are told apart, 0 if all are mistaken, and half if none differ") {
  CHECK(eval::compare(pairs_of({0.1, 0.2}, {0.3, 0.4})).area.value == 1);
  CHECK(eval::compare(pairs_of({0.3, 0.4}, {0.1, 0.2})).area.value == 0);
  const auto equal = eval::compare(pairs_of({0.3, 0.3}, {0.3, 0.3, 0.3}));
  CHECK(equal.area.value == 0.5);
  CHECK(equal.area.low == 0.5);
  CHECK(equal.area.high == 0.5);
  CHECK(equal.curve.size() == 2);
}

TEST_CASE("right or wrong pairs alone are counted, and not compared") {
  const auto right = eval::compare(pairs_of({0.1, 0.2}, {}));
  CHECK(right.right == 2);
  CHECK_FALSE(right.compared());
  CHECK(right.curve.empty());
  const auto wrong = eval::compare(pairs_of({}, {0.9}));
  CHECK(wrong.wrong == 1);
  CHECK_FALSE(wrong.compared());
  CHECK(wrong.wrong_not_here == 0);
  CHECK_FALSE(eval::compare({}).compared());
}

TEST_CASE("a curve of many pairs has few points, and both ends") {
  std::vector<double> right;
  std::vector<double> wrong;
  for (int i = 0; i < 5000; ++i) {
    right.push_back(i / 10000.0);
    wrong.push_back(i / 5000.0);
  }
  const auto figures = eval::compare(pairs_of(right, wrong));
  CHECK(figures.curve.size() <= eval::kNowherePoints);
  CHECK(figures.curve.size() > 90);
  CHECK(figures.curve.front().right == 0);
  CHECK(figures.curve.front().wrong == 0);
  CHECK(figures.curve.back().right == 1);
  CHECK(figures.curve.back().wrong == 1);
  double below = 0;  // by trapezia
  for (std::size_t i = 1; i < figures.curve.size(); ++i) {
    const auto& a = figures.curve[i - 1];
    const auto& b = figures.curve[i];
    CHECK(b.threshold < a.threshold);
    CHECK(b.right >= a.right);
    CHECK(b.wrong >= a.wrong);
    below += (b.right - a.right) * (a.wrong + b.wrong) / 2;
  }
  CHECK(figures.area.value == Approx(0.75).margin(1e-3));
  // Between the points the curve lies above their chords by less than a step.
  CHECK(below == Approx(figures.area.value).margin(0.01));
}

TEST_CASE("wrong pairs are in no figure but their own") {
  const test::TwoCities plain;
  const test::TwoCities some = with_wrong_pairs();
  for (const eval::Mode mode : {eval::Mode::reference, eval::Mode::true_}) {
    CAPTURE(name_of(mode));
    auto json = eval::to_json(eval::figures_of(some.set, some.outcomes, mode));
    auto positives = json.at("positives");
    CHECK(json.at("nowhere").at("wrong") == 3);
    CHECK(positives.at("nowhere").at("wrong") == 2);
    json.erase("nowhere");
    json.at("positives").erase("nowhere");
    CHECK(json == eval::to_json(eval::figures_of(plain.set, plain.outcomes, mode)));
  }
}

TEST_CASE("figures of wrong pairs are by the samples that a mode scores inside their tiles") {
  const test::TwoCities some = with_wrong_pairs();
  // In eighths, right: 0, 2 to 7, and 1 is not in its tile. Wrong: 8, 4, 2.
  const auto exact = eval::evaluate(some.set, some.outcomes, eval::Mode::true_).nowhere;
  CHECK(exact.right == 7);
  CHECK(exact.area.value == Approx((7 + 3.5 + 1.5) / 21));
  CHECK(exact.wrong_not_here == Approx(2.0 / 3));
  CHECK(exact.wrong_small_radius == Approx(1.0 / 3));  // of 4.5 m
  // The reference drops 6 and 7.
  const auto reference = eval::evaluate(some.set, some.outcomes, eval::Mode::reference).nowhere;
  CHECK(reference.right == 5);
  CHECK(reference.area.value == Approx((5 + 3.5 + 1.5) / 15));
  const auto pairs = eval::judged_pairs(some.set, some.outcomes, eval::Mode::true_);
  REQUIRE(pairs.size() == 10);
  CHECK(pairs[7].wrong);
  CHECK(pairs[7].ground_image == pairs[1].ground_image);  // of the image that was shown
  CHECK(pairs[7].radius68_metres == Approx(4.5));
}
