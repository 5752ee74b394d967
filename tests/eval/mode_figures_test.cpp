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
}
