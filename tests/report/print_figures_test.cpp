#include "report/print_figures.hpp"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "eval/two_cities.hpp"

using namespace crossfix;

namespace {

std::string printed(const test::TwoCities& cities, bool runs) {
  std::ostringstream out;
  report::print_figures(out, {eval::figures_of(cities.set, cities.outcomes, eval::Mode::true_)},
                        runs);
  return out.str();
}

/// The line that begins with `begin`, with runs of blanks replaced by one.
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
  const std::string text = printed(test::TwoCities(), false);
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

TEST_CASE("errors along and across the heading, and of headings that were searched for") {
  test::TwoCities some;
  std::string text = printed(some, false);
  INFO(text);
  const std::string axes = "0.00 / 0.00 100.0 / 100.0 / 100.0 ";
  CHECK(line_of(text, "true, positives") ==
        "true, positives " + axes + "4.00 / 4.00 25.0 / 50.0 / 75.0");
  CHECK(text.find("within 1/3/5°") == std::string::npos);
  for (eval::Outcome& outcome : some.outcomes) outcome.answer->heading_error_degrees = -2;
  text = printed(some, false);
  CHECK(text.find("within 1/3/5° (%)\n") != std::string::npos);
  CHECK(line_of(text, "true, positives").ends_with("2.00 / 2.00 0.0 / 100.0 / 100.0"));
}

TEST_CASE("how wrong pairs are told from right ones") {
  test::TwoCities some;
  for (eval::Outcome& outcome : some.outcomes) outcome.answer->nowhere = 0.25;
  CHECK(printed(some, false).find("wrong pairs") == std::string::npos);
  for (std::size_t i = 0; i < 4; ++i) {
    some.set.samples.push_back(some.set.samples[i]);
    some.set.samples.back().number = 8 + i;
    some.set.samples.back().wrong = true;
    some.outcomes.push_back(some.outcomes[i]);
    some.outcomes.back().answer->nowhere = i == 0 ? 0.75 : 0.25;
  }
  const std::string text = printed(some, false);
  INFO(text);
  // Of the last, radii of 4.5 m.
  const std::string rows = text.substr(text.find("Wrong pairs"));
  CHECK(line_of(rows, "true, positives") == "true, positives 4 2 0.750 0.0 50.0 50.0");
  CHECK(line_of(rows, "true  ") == "true 7 4 0.625 0.0 25.0 75.0");
  CHECK(text.find("true: 7 of 8 samples scored") != std::string::npos);
}

TEST_CASE("RobotCar's table has the runs side by side, and their average") {
  test::TwoCities some;
  for (data::Sample& sample : some.set.samples) sample.choice = 0;
  const std::string text = printed(some, true);
  INFO(text);
  CHECK(text.find("2.67 / 3.00") != std::string::npos);
  CHECK(text.find("6.50 / 6.50") != std::string::npos);
  CHECK(text.find("4.58±1.92 / 4.75±1.75") != std::string::npos);
  // All errors are to the right.
  CHECK(text.find("0.00 / 0.00  4.86 / 5.00") != std::string::npos);
}

TEST_CASE("a run without a result has a table without figures") {
  test::TwoCities some;
  for (eval::Outcome& outcome : some.outcomes) outcome = {{}, "no such file"};
  const std::string text = printed(some, false);
  INFO(text);
  CHECK(line_of(text, "true  pos+semi") == "true pos+semi 0 - - - - - -");
  CHECK(text.find("7 unreadable for 1 image\n") != std::string::npos);
  CHECK(text.find("nan") == std::string::npos);
}
