#include "eval/mode_figures.hpp"

#include <catch2/catch.hpp>

#include "two_cities.hpp"

using namespace crossfix;

TEST_CASE("JSON holds the same figures") {
  const test::TwoCities some;
  const auto json = eval::to_json(eval::figures_of(some.set, some.outcomes, eval::Mode::reference));
  CHECK(json.at("counts").at("scored") == 6);
  CHECK(json.at("counts").at("dropped") == 2);
  CHECK(json.at("errors").at("mean_m").at("value") == Approx(3.5));
  CHECK(json.at("positives").at("errors").at("mean_m").at("value") == Approx(3));
  CHECK(json.at("axes").at("lateral_mean_m") == Approx(3.5));
  CHECK(json.at("axes").at("longitudinal_mean_m") == 0);
  CHECK(json.at("groups").at(1).at("name") == "Birkby");
  CHECK(json.at("groups").at(1).at("errors").at("median_m").at("value") == Approx(5.5));
  CHECK(json.at("over_groups").at("mean_deviation_m") == Approx(1.5));
  CHECK(json.at("uncertainty").at("reliability").size() == 19);
  CHECK(json.at("uncertainty").at("risk_coverage").at(19).at("count") == 6);
  CHECK(json.at("uncertainty").at("nll").at("count") == 0);
  CHECK_FALSE(json.contains("headings"));
}

TEST_CASE("errors of headings that were searched for, and recall by the axes") {
  test::TwoCities some;
  // Sample 1 does not hold the camera; 0, 2, 4 and 6 were searched for: 1, 3, 5 and 7 degrees.
  for (std::size_t i = 0; i < 8; i += 2) {
    some.outcomes[i].answer->heading_error_degrees =
        (i % 4 == 0 ? -1.0 : 1.0) * static_cast<double>(i + 1);
  }
  const auto json = eval::to_json(eval::figures_of(some.set, some.outcomes, eval::Mode::true_));
  const auto& headings = json.at("headings");
  CHECK(headings.at("count") == 4);
  CHECK(headings.at("mean_deg") == 4);
  CHECK(headings.at("median_deg") == 4);
  CHECK(headings.at("within_1deg") == 0.25);
  CHECK(headings.at("within_3deg") == 0.5);
  CHECK(headings.at("within_5deg") == 0.75);
  CHECK(json.at("groups").at(0).at("headings").at("median_deg") == 2);
  // Errors of 1, 3, 4, 5, 6, 7 and 8 m, all across.
  CHECK(json.at("axes").at("longitudinal_within_1m") == 1);
  CHECK(json.at("axes").at("lateral_within_1m") == Approx(1.0 / 7));
  CHECK(json.at("axes").at("lateral_within_3m") == Approx(2.0 / 7));
  CHECK(json.at("axes").at("lateral_within_5m") == Approx(4.0 / 7));
}
