#include "report/evaluation_figures.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace crossfix;
using eval::Mode;
using eval::Outcome;
using report::ModeFigures;

namespace {

/// Two cities of two panoramas, each with a positive and a semi-positive, and answers that are off
/// by 1, 2, ... 8 m to the right. The last panorama is dropped by the reference; the semi-positive
/// of the first does not hold the camera.
struct Case {
  data::Dataset set;
  std::vector<Outcome> outcomes;

  Case() {
    set.groups = {{"Ashton", "a.txt", 2, 9, 0.1}, {"Birkby", "b.txt", 2, 9, 0.1}};
    for (std::size_t i = 0; i < 8; ++i) {
      data::Sample sample;
      sample.number = i;
      sample.group = i / 4;
      sample.ground = std::to_string(i / 2);
      sample.choice = static_cast<int>(i % 2);
      sample.exact = {{320, 320}, 640, 0.1};
      sample.reference = {{128, 128}, 256, 0.25};
      sample.inside = i != 1;
      sample.in_reference = i < 6;
      set.samples.push_back(sample);
      eval::Answer answer;
      answer.fix = {0.5, 0.5 + static_cast<double>(i + 1) / 64};
      answer.radius68 = 4.5 / 64;
      answer.exact = {static_cast<double>(i) / 8, 0.0};
      outcomes.push_back({answer, {}});
    }
  }

  std::string printed(bool runs) const {
    std::ostringstream out;
    report::print_figures(out, {report::figures_of(set, outcomes, Mode::exact)}, runs);
    return out.str();
  }
};

/// The line that begins with `begin`, its runs of blanks made one.
std::string line_of(const std::string& text, const std::string& begin) {
  const std::size_t at = text.find(begin);
  std::string line;
  for (const char c : text.substr(at, text.find('\n', at) - at)) {
    if (c != ' ' || line.empty() || line.back() != ' ') line += c;
  }
  return line;
}

}  // namespace

TEST_CASE("the table tells positives, all and cities, as published") {
  const std::string text = Case().printed(false);
  INFO(text);
  // Positives: 1, 3, 5, 7 m. All: those, 4, 6 and 8 m.
  CHECK(line_of(text, "true  positives").starts_with("true positives 4 4.00 ["));
  CHECK(line_of(text, "true  positives").ends_with(" 25.0 50.0 75.0 50.0"));
  CHECK(line_of(text, "true  pos+semi").starts_with("true pos+semi 7 4.86 ["));
  CHECK(line_of(text, "true    Ashton").starts_with("true Ashton 3 2.67 ["));
  CHECK(line_of(text, "true    Birkby").starts_with("true Birkby 4 6.50 [5.50, 7.50] 6.50 ["));
  CHECK(text.find("true: 7 of 8 samples scored, 1 outside their tile skipped\n") !=
        std::string::npos);
  CHECK(text.find("average of runs") == std::string::npos);
  // Errors up to 4.5 m lie within the radius: 1, 3 and 4 m.
  CHECK(text.find("42.9") != std::string::npos);
}

TEST_CASE("RobotCar's table has the runs side by side, and their average") {
  Case some;
  for (data::Sample& sample : some.set.samples) sample.choice = 0;
  const std::string text = some.printed(true);
  INFO(text);
  CHECK(text.find("2.67 / 3.00") != std::string::npos);
  CHECK(text.find("6.50 / 6.50") != std::string::npos);
  CHECK(text.find("4.58±1.92 / 4.75±1.75") != std::string::npos);
  // All errors are to the right.
  CHECK(text.find("0.00 / 0.00  4.86 / 5.00") != std::string::npos);
}

TEST_CASE("JSON holds the same figures") {
  const Case some;
  const auto json = report::to_json(report::figures_of(some.set, some.outcomes, Mode::reference));
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

TEST_CASE("a run without a result has a table without figures") {
  Case some;
  for (Outcome& outcome : some.outcomes) outcome = {{}, "no such file"};
  const std::string text = some.printed(false);
  INFO(text);
  CHECK(line_of(text, "true  pos+semi") == "true pos+semi 0 - - - - - -");
  CHECK(text.find("7 unreadable for 1 image\n") != std::string::npos);
  CHECK(text.find("nan") == std::string::npos);
}
