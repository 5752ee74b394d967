#include "eval/uncertainty.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace crossfix;
using eval::Measurement;
using eval::Uncertainty;

namespace {

Measurement measurement(double metres, double radius, double level, std::optional<double> nll) {
  Measurement m;
  m.metres = metres;
  m.radius68_metres = radius;
  m.level = level;
  m.nll = nll;
  return m;
}

/// By radius: errors 1, 9, 2, 3, 8; of these, covered are 1 (radius 1), 2 (radius 3) and 3 (radius
/// 4).
std::vector<Measurement> some() {
  return {measurement(8, 5, 0.9, 6.0), measurement(1, 1, 0.68, 2.0), measurement(3, 4, 0.3, 4.0),
          measurement(9, 2, 1.0, {}), measurement(2, 3, 0.05, 1.0)};
}

}  // namespace

TEST_CASE("coverage, in all and by fifths of the radius") {
  const Uncertainty u = eval::assess(some());
  CHECK(u.count == 5);
  CHECK(u.coverage == Approx(0.6));
  const double coverage[] = {1, 0, 1, 1, 0};
  const double errors[] = {1, 9, 2, 3, 8};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(u.fifths[i].count == 1);
    CHECK(u.fifths[i].smallest_radius == static_cast<double>(i + 1));
    CHECK(u.fifths[i].largest_radius == static_cast<double>(i + 1));
    CHECK(u.fifths[i].coverage == coverage[i]);
    CHECK(u.fifths[i].mean_error == errors[i]);
  }
}

TEST_CASE("fifths of a number that five does not divide") {
  std::vector<Measurement> all;
  for (int i = 0; i < 7; ++i) all.push_back(measurement(1, 1, 0.5, {}));
  const Uncertainty u = eval::assess(all);
  std::size_t sum = 0;
  for (const eval::Fifth& fifth : u.fifths) {
    CHECK(fifth.count >= 1);
    CHECK(fifth.count <= 2);
    sum += fifth.count;
  }
  CHECK(sum == 7);
}

TEST_CASE("the reliability curve counts truths within a level") {
  const Uncertainty u = eval::assess(some());
  REQUIRE(u.reliability.size() == 19);
  CHECK(u.reliability[0].level == Approx(0.05));
  CHECK(u.reliability[0].observed == Approx(0.2));   // at the level itself
  CHECK(u.reliability[5].observed == Approx(0.4));   // 0.3
  CHECK(u.reliability[12].observed == Approx(0.4));  // 0.65
  CHECK(u.reliability[13].observed == Approx(0.6));  // 0.7
  CHECK(u.reliability[18].observed == Approx(0.8));
  // Levels 0.05 0.3 0.68 0.9 1 against ranks in fifths: 0.9 - 0.6 is the largest distance.
  CHECK(u.reliability_gap == Approx(0.3));
}

TEST_CASE("an honest posterior has no reliability gap to speak of") {
  std::vector<Measurement> all;
  for (int i = 0; i < 100; ++i) all.push_back(measurement(1, 2, (i + 0.5) / 100, {}));
  const Uncertainty u = eval::assess(all);
  CHECK(u.reliability_gap == Approx(0.005));
  for (const eval::Reliability& point : u.reliability) CHECK(point.observed == Approx(point.level));
}

TEST_CASE("risk when only the most certain are kept") {
  const Uncertainty u = eval::assess(some());
  REQUIRE(u.risk.size() == 20);
  CHECK(u.risk[0].kept == Approx(0.05));
  CHECK(u.risk[0].count == 1);
  CHECK(u.risk[0].mean == 1);
  CHECK(u.risk[7].count == 2);  // 40 % of 5
  CHECK(u.risk[7].mean == 5);
  CHECK(u.risk[8].count == 3);  // 45 %, rounded up
  CHECK(u.risk[8].median == 2);
  CHECK(u.risk[19].count == 5);
  CHECK(u.risk[19].mean == Approx(4.6));
  CHECK(u.risk[19].median == 3);
}

TEST_CASE("the likelihood is of truths that have one") {
  const Uncertainty u = eval::assess(some());
  CHECK(u.nll_count == 4);
  CHECK(u.mean_nll == Approx(3.25));
  CHECK(eval::assess({}).count == 0);
}
