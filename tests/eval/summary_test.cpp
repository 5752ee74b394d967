#include "eval/summary.hpp"

#include <catch2/catch.hpp>

using namespace crossfix;
using eval::ErrorSummary;
using eval::Measurement;

namespace {

Measurement error(std::size_t ground_image, double metres) {
  Measurement m;
  m.ground_image = ground_image;
  m.metres = metres;
  m.sides = metres / 100;
  return m;
}

}  // namespace

TEST_CASE("mean, median, deviation and percentiles") {
  const std::vector<double> values{4, 1, 3, 2};
  CHECK(eval::mean_of(values) == 2.5);
  CHECK(eval::median_of(values) == 2.5);
  CHECK(eval::median_of({5, 1, 2}) == 2);
  CHECK(eval::deviation_of(values) == Approx(std::sqrt(1.25)));  // of the population
  CHECK(eval::percentile_of(values, 0.5) == 2.5);
  CHECK(eval::percentile_of(values, 0.025) == Approx(1.075));
  CHECK(eval::percentile_of({7}, 0.975) == 7);
  CHECK(eval::mean_of({}) == 0);
  CHECK(eval::median_of({}) == 0);
  CHECK(eval::deviation_of({}) == 0);
}

TEST_CASE("recall counts errors up to the bound") {
  const std::vector<Measurement> all{error(0, 1), error(1, 1.5), error(2, 3), error(3, 5.01),
                                     error(4, 5)};
  const ErrorSummary summary = eval::summarize(all);
  CHECK(summary.count == 5);
  CHECK(summary.mean.value == Approx(3.102));
  CHECK(summary.median.value == 3);
  CHECK(summary.within_1m.value == Approx(0.2));
  CHECK(summary.within_3m.value == Approx(0.6));
  CHECK(summary.within_5m.value == Approx(0.8));
  CHECK(summary.within_5_percent.value == Approx(0.8));
  for (const eval::Estimate& estimate : {summary.mean, summary.median, summary.within_3m}) {
    CHECK(estimate.low < estimate.value);
    CHECK(estimate.value < estimate.high);
  }
}

TEST_CASE("no samples have no errors") {
  const ErrorSummary summary = eval::summarize({});
  CHECK(summary.count == 0);
  CHECK(summary.mean.value == 0);
}

TEST_CASE("the bootstrap draws ground images, with all their tiles") {
  // Two images, each with equal tiles: whatever is drawn, the mean is 1, 5 or 9.
  std::vector<Measurement> all;
  for (int tile = 0; tile < 4; ++tile) all.push_back(error(0, 1));
  for (int tile = 0; tile < 4; ++tile) all.push_back(error(1, 9));
  const ErrorSummary summary = eval::summarize(all);
  CHECK(summary.mean.value == 5);
  CHECK(summary.mean.low == 1);
  CHECK(summary.mean.high == 9);
  // Each draw takes as many images as there are, so with one image all draws are alike.
  for (Measurement& m : all) m.ground_image = 3;
  const ErrorSummary one = eval::summarize(all);
  CHECK(one.mean.low == 5);
  CHECK(one.mean.high == 5);
  CHECK(one.median.low == one.median.value);
}
