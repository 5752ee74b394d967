#include "data/statistics.hpp"

#include <catch2/catch.hpp>

#include "data/vigor.hpp"
#include "fixtures.hpp"

using namespace crossfix;
using data::Dataset;
using data::Sample;

namespace {

Sample sample(std::size_t group, int choice, PixelPoint delta) {
  Sample result;
  result.group = group;
  result.choice = choice;
  result.true_ = {data::vigor_pixel(delta), 640, 0.5};
  result.inside = std::abs(delta.row) < 320 && std::abs(delta.col) < 320;
  return result;
}

}  // namespace

TEST_CASE("label statistics count tiles and guess the centre") {
  Dataset set;
  set.groups = {{"A", "a.txt", 3, 0, 0.5}, {"B", "b.txt", 1, 0, 0.5}};
  set.samples = {sample(0, 0, {30, 40}), sample(0, 1, {320, 0}), sample(0, 2, {0, -319}),
                 sample(0, 0, {0, -20}), sample(0, 0, {400, 0}), sample(0, 3, {0, -320}),
                 sample(1, 0, {-60, 80})};
  const data::LabelStatistics a = data::statistics_of(set, 0);
  CHECK(a.ground_images == 3);
  CHECK(a.positives == 3);
  CHECK(a.positives_outside == 1);
  CHECK(a.semi_positives == 3);
  CHECK(a.semi_positives_outside == 2);
  CHECK(a.centre_mean == Approx((25 + 10) / 2.0));  // 50 and 20 px of half a metre
  CHECK(a.centre_median == Approx(17.5));
  CHECK_FALSE(a.names_mean);
  const data::LabelStatistics all = data::statistics_of(set);
  CHECK(all.ground_images == 4);
  CHECK(all.centre_mean == Approx((25 + 10 + 50) / 3.0));
  CHECK(all.centre_median == Approx(25));
}

TEST_CASE("labels that were computed from names agree with names") {
  data::VigorOptions options;
  options.root = test::vigor_fixture();
  options.labels = data::LabelSet::mercator;
  CHECK(*data::statistics_of(data::read_vigor(options)).names_mean < 1e-6);
  options.labels = data::LabelSet::corrected;  // rounded: half a pixel at most along each axis
  const double rounded = *data::statistics_of(data::read_vigor(options)).names_mean;
  CHECK(rounded > 0.01);
  CHECK(rounded < 0.1);
}
