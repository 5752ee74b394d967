#include "report/error_map.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>

#include "crossfix/core/error.hpp"
#include "xml_check.hpp"

using namespace crossfix;
using namespace crossfix::report;

namespace {

/// Samples of one group, each with its location and error, and a radius of 2 m.
struct City {
  data::Dataset set;
  std::vector<eval::Measurement> measurements;

  void add(const std::string& name, double error, const data::Location& location) {
    data::Sample sample;
    sample.number = set.samples.size();
    sample.ground = "c/" + name;
    sample.location = location;
    set.samples.push_back(sample);
    eval::Measurement m;
    m.sample = sample.number;
    m.metres = error;
    m.radius68_metres = 2;
    measurements.push_back(m);
  }
  std::vector<MapPoint> points() const { return city_points(set, measurements, 0); }
};

double number(const test::Element& element, const char* key) {
  return std::atof(element.attribute(key).c_str());
}

}  // namespace

TEST_CASE("positions become metres about their mean") {
  // At 60 degrees north a degree of longitude is half one of latitude.
  City city;
  city.add("a", 1, GeoPoint{10.0, 60.0});
  city.add("b", 1, GeoPoint{10.002, 60.0});
  const auto points = city.points();
  REQUIRE(points.size() == 2);
  CHECK(points[1].x - points[0].x == Approx(111.32).epsilon(1e-3));
  CHECK(points[1].y == Approx(points[0].y));
  CHECK(points[0].hint == "a: error 1.00 m, radius 2.00 m");
  City plane;
  plane.add("a", 1, data::PlanePoint{619'400, 5'736'195});
  plane.add("b", 1, data::PlanePoint{619'410, 5'736'185});
  CHECK(plane.points()[1].x == Approx(5));
  CHECK(plane.points()[1].y == Approx(-5));
  CHECK(city_points(plane.set, plane.measurements, 1).empty());  // of another group
}

TEST_CASE("samples without a location or a finite error are not on the map; kinds do not mix") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  City none;
  none.add("a", 1, {});
  none.add("b", nan, GeoPoint{1, 2});
  none.add("d", -1, GeoPoint{1, 2});
  none.add("e", 1, GeoPoint{nan, 2});
  CHECK(none.points().empty());
  CHECK_THROWS_AS(frame_around({}), ShapeError);
  City mixed;
  mixed.add("a", 1, GeoPoint{1, 2});
  mixed.add("b", 1, data::PlanePoint{1, 2});
  CHECK_THROWS_AS(mixed.points(), ShapeError);
}

TEST_CASE("dots lie where their samples do, the worst last, coloured by error") {
  const std::vector<MapPoint> points{{-100, 50, 30, "worst"}, {100, -50, 0.5, "best"}};
  const MapFrame frame = frame_around(points);
  CHECK(frame.left < -100);
  CHECK(frame.top > 50);
  const test::Document document(error_map(frame, points));
  const auto dots = document.find("circle", "dot");
  REQUIRE(dots.size() == 2);
  CHECK(dots[0].text == "best");
  CHECK(dots[0].attribute("class") == "dot error-0");
  CHECK(dots[1].attribute("class") == "dot error-5");
  CHECK(number(dots[0], "cx") > number(dots[1], "cx"));                  // east is right
  CHECK(number(dots[0], "cy") > number(dots[1], "cy"));                  // south is below
  CHECK(document.elements()[0].text.find("50 m") != std::string::npos);  // the scale bar
}

TEST_CASE("a map of one sample, or of samples on a line, has a size") {
  for (const std::vector<MapPoint>& points :
       {std::vector<MapPoint>{{3, 4, 1, ""}}, std::vector<MapPoint>{{0, 0, 1, ""}, {0, 900, 1, ""}},
        std::vector<MapPoint>{{0, 0, 1, ""}, {900, 0, 1, ""}}}) {
    const test::Document document(error_map(frame_around(points), points));
    CHECK(number(document.elements()[0], "height") > 100);
    CHECK(number(document.elements()[0], "height") < 500);
    for (const test::Element& dot : document.find("circle")) {
      CHECK(number(dot, "cx") > 0);
      CHECK(number(dot, "cx") < number(document.elements()[0], "width"));
    }
  }
}

TEST_CASE("more samples than dots become cells of their median") {
  std::vector<MapPoint> points(kMostMapPoints, MapPoint{0.5, 0.5, 2, ""});
  points.push_back({1, 0, 7, ""});  // the far corner
  MapFrame frame;
  frame.cell = 50;
  const test::Document document(error_map(frame, points));
  CHECK(document.find("circle").empty());
  const auto cells = document.find("rect", "cell");
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].attribute("class") == "cell error-1");
  CHECK(cells[0].text == "1200 samples, median 2.00 m, worst 2.00 m");
  CHECK(cells[1].text == "1 sample, median 7.00 m, worst 7.00 m");
  CHECK(number(cells[1], "x") + number(cells[1], "width") <= frame.width);
  CHECK(number(cells[1], "y") + number(cells[1], "height") <= frame.width + 0.2);
}

TEST_CASE("the key names every colour") {
  const test::Document document(error_key());
  CHECK(document.find("span", "entry").size() == kErrorSteps.size() + 1);
  CHECK(document.elements()[0].text.find("below 1 m") != std::string::npos);
  CHECK(document.elements()[0].text.find("25 m and more") != std::string::npos);
}

TEST_CASE("every sample of a large map is in a cell, and every cell within the frame") {
  std::vector<MapPoint> points;
  for (int i = 0; i < 5000; ++i) points.push_back({i % 71 * 9.0, i % 97 * 5.0, 1, ""});
  const MapFrame frame = frame_around(points);
  const test::Document document(error_map(frame, points));
  const auto ground = document.find("rect", "ground").at(0);
  double samples = 0;
  for (const test::Element& cell : document.find("rect", "cell")) {
    samples += std::atof(cell.text.c_str());
    CHECK(number(cell, "x") >= number(ground, "x"));
    CHECK(number(cell, "y") >= number(ground, "y"));
    // Coordinates are rounded to 0.1.
    CHECK(number(cell, "x") + number(cell, "width") <= frame.width - 1 + 0.11);
    CHECK(number(cell, "y") + number(cell, "height") <= number(ground, "height") + 1 + 0.11);
  }
  CHECK(samples == 5000);
}
