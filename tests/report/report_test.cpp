#include "report/report.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>

#include "crossfix/core/error.hpp"
#include "xml_check.hpp"

using namespace crossfix;
using namespace crossfix::report;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const std::string kNasty = "</style><script>\"&'\xff\x01";

/// Samples in `cities` cities with errors of 0 to 40 m, and figures for all charts.
Report some_report(std::size_t samples, std::size_t cities = 2) {
  Report report;
  report.title = "Report";
  std::mt19937 random(5);
  const auto unit = [&] { return static_cast<double>(random()) / 4294967296.0; };
  for (std::size_t i = 0; i < cities; ++i) {
    report.dataset.groups.push_back({"city" + std::to_string(i), "", 0, 0, 0.1});
  }
  for (std::size_t i = 0; i < samples; ++i) {
    eval::Measurement m;
    m.sample = i;
    m.metres = 40 * unit() * unit() * unit();
    m.radius68_metres = 3 * unit();
    report.measurements.push_back(m);
    data::Sample sample;
    sample.number = i;
    sample.group = i % cities;
    sample.ground = "panorama/ground" + std::to_string(i) + ".jpg";
    sample.location = GeoPoint{-73.9 + 0.03 * unit(), 40.7 + 0.03 * unit()};
    sample.true_ = {{640 * unit(), 640 * unit()}, 640, 0.1};
    report.dataset.samples.push_back(sample);
  }
  report.uncertainty.count = samples;
  report.uncertainty.risk = {{0.05, 1, 1, 0.5}, {1, samples, 4, 2}};
  report.uncertainty.reliability = {{0.1, 0.05}, {0.9, 0.8}};
  for (int i = 0; i < 5; ++i) {
    report.uncertainty.fifths.at(static_cast<std::size_t>(i)) = {20, 1.0 * i, 1.0 * i + 1, 0.6,
                                                                 2.0 + i};
  }
  report.tables = {
      {"Errors", {"mean (m)"}, {{"all", {{{eval::Estimate{4.5, 4, 5}, Unit::metres}}}}}, ""}};
  report.settings = {{"Data set", "world"}};
  report.counts = {{"Unreadable", 1, ""}};
  report.definitions = standard_definitions(false);
  return report;
}

/// Counts the marks in the chart of the fifths, by the texts that the pointer shows.
std::size_t fifths_drawn(const test::Document& document) {
  const auto titles = document.find("title");
  return static_cast<std::size_t>(std::count_if(
      titles.begin(), titles.end(),
      [](const test::Element& title) { return title.text.compare(0, 7, "radius ") == 0; }));
}

std::vector<std::string> section_ids(const test::Document& document) {
  std::vector<std::string> ids;
  for (const test::Element& section : document.find("section"))
    ids.push_back(section.attribute("id"));
  return ids;
}

}  // namespace

TEST_CASE("the whole report is well-formed, in its order, and every link of it leads somewhere") {
  Report report = some_report(300);
  io::Image image({60, 120, 3});
  std::fill_n(image.data(), image.size(), std::uint8_t{90});
  ShownPair pair{"g.jpg", {{"city", "city0"}}, 0.1, 2, {}};
  pair.pictures.emplace_back(image.view(), "street view");
  report.best = {pair};
  report.worst = {pair, pair};
  report.pairs_note = "Cross: the fix.";
  const std::string text = render(report);
  const test::Document document(text);
  CHECK(section_ids(document) == std::vector<std::string>{"results", "errors", "uncertainty",
                                                          "maps", "best", "worst", "counts",
                                                          "settings", "definitions"});
  CHECK(document.find("svg", "chart").size() == 8);  // five charts, two cities, the tile
  CHECK(document.find("article", "pair").size() == 3);
  CHECK(document.find("ul", "warnings").empty());
  for (const test::Element& image_element : document.find("img")) {
    CHECK(image_element.attribute("src").compare(0, 23, "data:image/jpeg;base64,") == 0);
    CHECK(image_element.attribute("alt") == "street view");
    CHECK(image_element.attribute("width") == "120");
  }
  std::vector<std::string> ids;
  for (const test::Element& element : document.elements()) {
    if (!element.attribute("id").empty()) ids.push_back(element.attribute("id"));
  }
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  for (const test::Element& link : document.find("a")) {
    CHECK(std::binary_search(ids.begin(), ids.end(), link.attribute("href").substr(1)));
  }
  CHECK(render(report) == text);
}

TEST_CASE("the report needs nothing outside itself") {
  const std::string text = render(some_report(300));
  for (const char* outside : {"http:", "https:", "//", "url(", "@import", "file:"}) {
    CHECK(text.find(outside) == std::string::npos);
  }
  const test::Document document(text);
  for (const char* element : {"script", "link", "iframe", "object", "image", "use"}) {
    CHECK(document.find(element).empty());
  }
  for (const test::Element& element : document.elements()) {
    for (const auto& [name, value] : element.attributes) CHECK(name.compare(0, 2, "on") != 0);
  }
  // The style sheet is not escaped, so it must not contain anything that would need it.
  const std::string style = document.find("style")[0].text;
  CHECK(style.find_first_of("<&") == std::string::npos);
  CHECK(std::count(style.begin(), style.end(), '{') == std::count(style.begin(), style.end(), '}'));
}

TEST_CASE("every colour class that is drawn has a rule") {
  const Report report = some_report(300, 9);  // more curves than styles
  const test::Document document(render(report));
  const std::string style = document.find("style")[0].text;
  std::size_t checked = 0;
  for (const test::Element& element : document.elements()) {
    const std::string classes = element.attribute("class") + " ";
    for (std::size_t at = 0, end = 0; (end = classes.find(' ', at)) != std::string::npos;
         at = end + 1) {
      const std::string name = classes.substr(at, end - at);
      const std::size_t dash = name.find('-');
      if (dash == std::string::npos) continue;
      INFO(name);
      CHECK((style.find("." + name + " {") != std::string::npos));
      ++checked;
    }
  }
  CHECK(checked > 300);
}

TEST_CASE("text from outside is escaped wherever it goes") {
  Report report = some_report(3);
  report.title = report.summary = report.pairs_note = kNasty;
  report.dataset.warnings = {kNasty};
  report.tables[0].title = report.tables[0].columns[0] = report.tables[0].note = kNasty;
  report.tables[0].rows[0].name = kNasty;
  for (data::Group& group : report.dataset.groups) group.name = kNasty;
  for (data::Sample& sample : report.dataset.samples) sample.ground = kNasty;
  report.settings = {{kNasty, kNasty}};
  report.counts = {{kNasty, 1, kNasty}};
  report.definitions = {{kNasty, kNasty}};
  io::Image image({2, 2, 3});
  ShownPair pair{kNasty, {{kNasty, kNasty}}, 1, 1, {}};
  pair.pictures.emplace_back(image.view(), kNasty);
  report.best = {pair};
  const std::string text = render(report);
  const test::Document document(text);
  CHECK(document.find("script").empty());
  CHECK(text.find('\xff') == std::string::npos);
  const std::string read = "</style><script>\"&'\xEF\xBF\xBD\xEF\xBF\xBD";
  CHECK(document.find("h1")[0].text == read);
  CHECK(document.find("img")[0].attribute("alt") == read);
}

TEST_CASE("an empty report says that it is empty") {
  Report report;
  report.title = "Nothing";
  const std::string text = render(report);
  const test::Document document(text);
  CHECK(section_ids(document).empty());
  CHECK(document.find("svg").empty());
  CHECK(document.find("main")[0].text.find("No sample was evaluated") != std::string::npos);
}

TEST_CASE("reports of one sample, of equal errors and of no error at all can be drawn") {
  for (const double error : {0.0, 1e-12, 3.0, 1e6}) {
    for (const std::size_t count : {1U, 2U, 7U}) {
      Report report = some_report(count, 1);
      for (eval::Measurement& m : report.measurements) m.metres = error;
      const test::Document document(render(report));
      CHECK(document.find("svg", "chart").size() == 7);
      const std::string all =
          count == 1 ? "Errors of 1 sample." : "Errors of " + std::to_string(count) + " samples.";
      CHECK(document.find("main")[0].text.find(all) != std::string::npos);
      CHECK(document.find("rect", "bar").size() >= 1);
    }
  }
}

TEST_CASE("values that are not finite are shown in tables, left out of charts, and counted") {
  Report report = some_report(50);
  report.measurements[3].metres = std::nan("");
  report.measurements[4].metres = kInfinity;
  report.measurements[5].metres = -1;
  report.measurements[6].radius68_metres = std::nan("");
  std::get<GeoPoint>(report.dataset.samples[7].location).latitude = std::nan("");
  report.dataset.samples[8].true_.pixel = {std::nan(""), 320};
  eval::Uncertainty& uncertainty = report.uncertainty;
  uncertainty.risk.push_back({std::nan(""), 1, 1, 1});  // a point of two curves
  uncertainty.reliability[0].observed = kInfinity;
  uncertainty.fifths[2].coverage = std::nan("");
  uncertainty.fifths[2].largest_radius = kInfinity;
  report.tables[0].rows[0].cells[0][0].value = std::nan("");
  const test::Document document(render(report));
  const auto warnings = document.find("li");
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].text.find("3 of the samples") != std::string::npos);
  CHECK(warnings[1].text.find("3 of the curves' points") != std::string::npos);
  CHECK(document.find("main")[0].text.find("Errors of 47 samples") != std::string::npos);
  CHECK(document.find("td")[0].text.compare(0, 3, "NaN") == 0);
  for (const test::Element& element : document.elements()) {
    for (const char* key : {"x", "y", "cx", "cy", "d", "width", "height"}) {
      const std::string value = element.attribute(key);
      CHECK(value.find("nan") == std::string::npos);
      CHECK(value.find("inf") == std::string::npos);
    }
  }
}

TEST_CASE("parts that do not fit together are refused") {
  Report report = some_report(5);
  report.tables[0].columns.push_back("another");
  CHECK_THROWS_AS(render(report), ShapeError);
}

TEST_CASE("parts of the samples that hold none are neither drawn nor listed") {
  Report report = some_report(3);
  for (std::size_t i = 3; i < 5; ++i) report.uncertainty.fifths.at(i).count = 0;
  const test::Document some(render(report));
  CHECK(fifths_drawn(some) == 3);
  for (eval::Fifth& fifth : report.uncertainty.fifths) fifth.count = 0;
  const test::Document none(render(report));
  CHECK(fifths_drawn(none) == 0);
  CHECK(none.find("table").size() == some.find("table").size() - 1);
}

TEST_CASE("the cumulative curve's axis has room for every recall, however small the errors") {
  Report report = some_report(1);
  report.measurements[0].metres = 0.2;
  const test::Document document(render(report));
  bool found = false;
  for (const test::Element& guide : document.find("path", "guide-1")) {
    const std::string path = guide.attribute("d");
    found = found || std::count(path.begin(), path.end(), 'M') == 3;
  }
  CHECK(found);
}

TEST_CASE("the histogram's bars hold every sample once") {
  const test::Document document(render(some_report(1000)));
  double sum = 0;
  for (const test::Element& bar : document.find("rect", "bar")) {
    // "0.2 to 0.4 m: 17 (1.7 %)"
    sum += std::atof(bar.text.substr(bar.text.find(": ") + 2).c_str());
  }
  CHECK(sum == 1000);
}

TEST_CASE("a large evaluation gives a document of bounded size") {
  Report report = some_report(60'000, 12);
  const std::string text = render(report);
  CHECK(text.size() < 2'000'000);
  const test::Document document(text);
  CHECK(document.find("svg", "chart").size() == 5 + 8 + 1);
  CHECK(text.find("4 more with fewer samples are not drawn") != std::string::npos);
}

TEST_CASE("without locations there is the map of the tile; without that, none") {
  Report report = some_report(20);
  for (data::Sample& sample : report.dataset.samples) sample.location = {};
  CHECK(test::Document(render(report)).find("svg", "chart").size() == 5 + 1);
  for (data::Sample& sample : report.dataset.samples) sample.true_ = {};
  const test::Document document(render(report));
  CHECK(document.find("svg", "chart").size() == 5);
  const std::vector<std::string> ids = section_ids(document);
  CHECK(std::find(ids.begin(), ids.end(), "maps") == ids.end());
}

TEST_CASE("where wrong pairs were located, a curve says how many are found") {
  Report report = some_report(50);
  const std::size_t charts = test::Document(render(report)).find("svg", "chart").size();
  report.nowhere = {.right = 40,
                    .wrong = 30,
                    .area = {0.875, 0.8, 0.95},
                    .right_not_here = 0.1,
                    .wrong_not_here = 0.7,
                    .wrong_small_radius = 0.05,
                    .curve = {{1.1, 0, 0}, {0.6, 0.1, 0.7}, {0.4, 0.1, 0.8}, {0.1, 1, 1}}};
  const std::string text = render(report);
  CHECK(test::Document(text).find("svg", "chart").size() == charts + 1);
  for (const char* part : {"Wrong pairs found", "by chance", "curve is 0.875.",
                           "10.0 % of the right and 70.0 % of the wrong pairs"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("both modes are defined, each with its own error") {
  const auto exact = standard_definitions(false);
  const auto reference = standard_definitions(true);
  REQUIRE(exact.size() == reference.size());
  CHECK(exact[1].name == "Error");
  CHECK(exact[1].text != reference[1].text);
}

TEST_CASE("the file is written whole, or the path is named") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("crossfix-report-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directory(folder);
  const Report report = some_report(10);
  write(folder / "report.html", report);
  std::ifstream file(folder / "report.html", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == render(report));
  CHECK_THROWS_AS(write(folder / "missing" / "report.html", report), DataError);
  std::filesystem::remove_all(folder);
}
