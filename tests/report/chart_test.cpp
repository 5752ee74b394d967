#include "report/chart.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "crossfix/core/error.hpp"
#include "xml_check.hpp"

using namespace crossfix;
using namespace crossfix::report;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Axis axis(std::string label, double high) {
  Axis made;
  made.label = std::move(label);
  made.high = high;
  return made;
}

Chart chart() {
  return Chart({"Errors <all>", "What it shows."}, axis("Error (m)", 10), axis("Samples", 4));
}

}  // namespace

TEST_CASE("a chart has a text for readers, axes with labels and round ticks, and a legend") {
  Chart made = chart();
  made.line(0, {"all & some", {{0, 0}, {5, 2}, {10, 4}}});
  made.guides(Along::y, 0, "median", {5});
  const test::Document document(made.svg());
  const test::Element& root = document.elements()[0];
  CHECK(root.attribute("role") == "img");
  CHECK(root.attribute("aria-label") == "Errors <all>. What it shows.");
  for (const char* text : {"Error (m)", "Samples", "0", "10", "4", "all & some", "median"}) {
    const auto texts = document.find("text");
    CHECK(std::any_of(texts.begin(), texts.end(),
                      [&](const test::Element& element) { return element.text == text; }));
  }
  CHECK(document.find("path", "guide").size() == 2);  // the line and its key
  CHECK(document.find("path", "line-0").size() == 2);
  const auto hints = document.find("circle", "hint");
  REQUIRE(hints.size() == 3);
  CHECK(hints[1].text == "all & some: 5.00, 2.00");
}

TEST_CASE("a line runs through its points: ascending x to the right, ascending y upwards") {
  Chart made = chart();
  made.line(0, {"", {{0, 0}, {10, 4}}});
  const test::Document document(made.svg());
  const auto lines = document.find("path", "line-0");
  REQUIRE(lines.size() == 1);  // unnamed: no key
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
  REQUIRE(std::sscanf(lines[0].attribute("d").c_str(), "M%lf %lfL%lf %lf", &x0, &y0, &x1, &y1) ==
          4);
  CHECK(x0 == 0);
  CHECK(y1 == 0);
  CHECK(x1 > 400);
  CHECK(y0 > 200);
}

TEST_CASE("points that are not finite are left out") {
  Chart made = chart();
  made.line(0, {"a", {{0, 0}, {1, kNan}, {kNan, 1}, {INFINITY, 2}, {2, 3}}});
  made.line(1, {"nothing", {{kNan, kNan}}});
  made.bars(2, "", {{0, 1, kNan, "no"}, {1, 2, 3, "yes"}});
  made.marks(3, "", {{{1, kNan}, {}, "no"}, {{1, 1}, eval::Estimate{1, kNan, 1}, "yes"}});
  made.guides(Along::y, 0, "none", {kNan, -3, 11});
  const test::Document document(made.svg());
  CHECK(document.find("path", "line-0")[1].attribute("d").find_first_of("LM", 1) ==
        document.find("path", "line-0")[1].attribute("d").rfind('L'));  // two points
  CHECK(document.find("path", "line-1").empty());
  CHECK(document.find("rect", "bar").size() == 1);
  CHECK(document.find("circle", "fill-3").size() == 1);
  CHECK(document.find("path", "whisker").empty());
  CHECK(document.find("path", "guide").empty());
}

TEST_CASE("a single point is a dot; no point is nothing; bands need an interval for each point") {
  Chart made = chart();
  made.line(0, {"", {{1, 1}}});
  made.line(1, {"", {}});
  made.line(2, {"", {{1, 1}, {2, 2}}, {{1, 0, 2}, {2, 1, 3}}});
  const test::Document document(made.svg());
  CHECK(document.find("circle", "fill-0").size() == 2);  // the dot and its hint
  CHECK(document.find("path", "fill-2").size() == 1);
  CHECK_THROWS_AS(made.line(0, {"", {{1, 1}}, {{1, 0, 2}, {2, 1, 3}}}), ShapeError);
}

TEST_CASE("a thinned line keeps what can be seen of all its points") {
  std::vector<Point> points;
  for (int i = 0; i < 100'000; ++i) points.push_back({i * 0.005, i == 54'321 ? 99.0 : i % 7});
  const std::vector<Point> kept = thinned(points, 500, 500);
  CHECK(kept.size() <= 2000);
  CHECK(kept.front().x == points.front().x);
  CHECK(kept.back().x == points.back().x);
  CHECK(std::any_of(kept.begin(), kept.end(), [](const Point& p) { return p.y == 99; }));
  CHECK(std::is_sorted(kept.begin(), kept.end(),
                       [](const Point& a, const Point& b) { return a.x < b.x; }));
  CHECK(thinned({}, 500, 500).empty());
}

TEST_CASE("legend entries go to a new row rather than over the edge or over each other") {
  Chart made = chart();
  for (int i = 0; i < 12; ++i) {
    made.line(i, {"a city of quite a long name", {{0, 0}, {1, 1}}});
  }
  const test::Document document(made.svg());
  const double width = std::atof(document.elements()[0].attribute("width").c_str());
  std::vector<std::pair<double, double>> labels;
  for (const test::Element& text : document.find("text")) {
    if (text.text != "a city of quite a long name") continue;
    labels.emplace_back(std::atof(text.attribute("y").c_str()),
                        std::atof(text.attribute("x").c_str()));
  }
  REQUIRE(labels.size() == 12);
  const double length = text_width("a city of quite a long name");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    CHECK(labels[i].second + length <= width);
    if (i > 0 && labels[i].first == labels[i - 1].first) {
      CHECK(labels[i].second >= labels[i - 1].second + length);
    }
  }
}
