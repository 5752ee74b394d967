#include "report/report.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
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

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const std::string kNasty = "</style><script>\"&'\xff\x01";

/// Samples in `cities` cities, errors of 0 to 40 m, with all the curves.
Report some_report(std::size_t samples, std::size_t cities = 2) {
  Report report;
  report.title = "Report";
  std::mt19937 random(5);
  const auto unit = [&] { return static_cast<double>(random()) / 4294967296.0; };
  std::vector<double> errors;
  for (std::size_t i = 0; i < samples; ++i) {
    Sample sample;
    sample.name = "ground" + std::to_string(i) + ".jpg";
    sample.city = "city" + std::to_string(i % cities);
    sample.error_m = 40 * unit() * unit() * unit();
    sample.radius68_m = 3 * unit();
    sample.place = GeoPoint{-73.9 + 0.03 * unit(), 40.7 + 0.03 * unit()};
    sample.tile_share = PixelPoint{unit(), unit()};
    errors.push_back(sample.error_m);
    report.samples.push_back(std::move(sample));
  }
  std::sort(errors.begin(), errors.end());
  Curve cumulative{"all", {}};
  for (std::size_t i = 0; i < samples; ++i) {
    cumulative.points.push_back(
        {errors[i], static_cast<double>(i + 1) / static_cast<double>(samples)});
  }
  report.cumulative_error = {cumulative};
  report.risk_coverage = {{"mean", {{0.05, 1}, {1, 4}}}, {"median", {{0.05, 0.5}, {1, 2}}}};
  report.reliability = {{"observed", {{0.1, 0.05}, {0.9, 0.8}}, {{0, 0.1}, {0.7, 0.9}}}};
  for (int i = 0; i < 5; ++i) {
    report.radius_groups.push_back({1.0 * i, 1.0 * i + 1, 20, 0.6, Interval{0.5, 0.7}, 2.0 + i});
  }
  report.tables = {
      {"Errors", {"mean (m)"}, {{"all", {{{4.5, Unit::metres, Interval{4, 5}}}}}}, ""}};
  report.settings = {{"Data set", "world"}};
  report.counts = {{"Unreadable", 1, ""}};
  report.definitions = standard_definitions(false);
  return report;
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
  // The style sheet is not escaped, and so must hold nothing that would be.
  const std::string style = document.find("style")[0].text;
  CHECK(style.find_first_of("<&") == std::string::npos);
  CHECK(std::count(style.begin(), style.end(), '{') == std::count(style.begin(), style.end(), '}'));
}

TEST_CASE("every colour class that is drawn has a rule") {
  Report report = some_report(300);
  for (int i = 0; i < 8; ++i) report.risk_coverage.push_back({"more", {{0, 1}, {1, 2}}});
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
  report.warnings = {kNasty};
  report.tables[0].title = report.tables[0].columns[0] = report.tables[0].note = kNasty;
  report.tables[0].rows[0].name = kNasty;
  report.cumulative_error[0].name = kNasty;
  for (Sample& sample : report.samples) sample.name = sample.city = kNasty;
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
      for (Sample& sample : report.samples) sample.error_m = error;
      for (Point& point : report.cumulative_error[0].points) point.x = error;
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
  report.samples[3].error_m = kNan;
  report.samples[4].error_m = kInfinity;
  report.samples[5].error_m = -1;
  report.samples[6].radius68_m = kNan;
  std::get<GeoPoint>(report.samples[7].place).latitude = kNan;
  report.samples[8].tile_share = PixelPoint{kNan, 0.5};
  report.risk_coverage[0].points.push_back({kNan, 1});
  report.reliability[0].points[0].y = kInfinity;
  report.cumulative_error[0].points[9].x = kInfinity;
  report.radius_groups[2].observed = kNan;
  report.radius_groups[2].radius_high_m = kInfinity;
  report.tables[0].rows[0].cells[0][0].value = kNan;
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
  report = some_report(5);
  report.reliability[0].intervals.pop_back();
  CHECK_THROWS_AS(render(report), ShapeError);
}

TEST_CASE("parts of the samples that hold none are neither drawn nor listed") {
  Report report = some_report(3);
  for (std::size_t i = 3; i < 5; ++i) report.radius_groups[i].samples = 0;
  const test::Document some(render(report));
  CHECK(some.find("path", "whisker").size() == 3);
  for (RadiusGroup& group : report.radius_groups) group.samples = 0;
  const test::Document none(render(report));
  CHECK(none.find("path", "whisker").empty());
  CHECK(none.find("table").size() == some.find("table").size() - 1);
}

TEST_CASE("the cumulative curve's axis has room for every recall, however small the errors") {
  Report report = some_report(1);
  report.cumulative_error = {{"all", {{0.2, 1}}}};
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

TEST_CASE("without places there is the map of the tile; without that, none") {
  Report report = some_report(20);
  for (Sample& sample : report.samples) sample.place = {};
  CHECK(test::Document(render(report)).find("svg", "chart").size() == 5 + 1);
  for (Sample& sample : report.samples) sample.tile_share.reset();
  const test::Document document(render(report));
  CHECK(document.find("svg", "chart").size() == 5);
  const std::vector<std::string> ids = section_ids(document);
  CHECK(std::find(ids.begin(), ids.end(), "maps") == ids.end());
}

TEST_CASE("both modes are defined, each with its own error") {
  const auto exact = standard_definitions(false);
  const auto reference = standard_definitions(true);
  REQUIRE(exact.size() == reference.size());
  CHECK(exact[1].name == "Error");
  CHECK(exact[1].text != reference[1].text);
}

TEST_CASE("the file is written whole, or the place is named") {
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
