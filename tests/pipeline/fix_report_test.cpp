#include "pipeline/fix_report.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using namespace crossfix::pipeline;

namespace {

/// A 2 x 2 posterior on a 100 px tile of 0.5 m a pixel.
Fix some_fix() {
  Fix fix;
  fix.pixel = {30, 40};
  fix.covariance_px = {4, 1, 9};
  fix.radius68_px = 20;
  fix.radius68_m = 10;
  fix.position = GeoPoint{-122.25, 47.5};
  fix.window = {0, 0, 100, 100};
  fix.grid = 2;
  fix.probability = {0.125F, 0.5F, 0.25F, 0.125F};
  fix.cell = 1;
  return fix;
}

Subject some_subject() { return {7, "g.jpg", "s.png", {100, 100}, PixelPoint{42, 24}}; }

}  // namespace

TEST_CASE("the error is a distance; metres come from the fix's own scale") {
  const FixError error = error_of(some_fix(), {42, 24});
  CHECK(error.pixels == Approx(20));  // a 12, 16, 20 triangle
  CHECK(*error.metres == Approx(10));
  CHECK(error.within_radius68);
  CHECK_FALSE(error_of(some_fix(), {42.1, 24}).within_radius68);
  Fix unscaled = some_fix();
  unscaled.radius68_m.reset();
  CHECK_FALSE(error_of(unscaled, {42, 24}).metres);
}

TEST_CASE("a truth is in its tile, or at most a side outside of it") {
  for (const PixelPoint truth : {PixelPoint{0, 0}, {-60, 150}, {120, -40}, {160, 80}}) {
    CHECK_NOTHROW(check_truth(truth, {80, 100}));
  }
  for (const PixelPoint truth : {PixelPoint{5000, 5}, {-81, 50}, {40, 201}, {40, -1e300}}) {
    CAPTURE(truth.row, truth.col);
    CHECK_THROWS_WITH(check_truth(truth, {80, 100}),
                      Catch::Contains("outside of the tile of 100x80 pixels"));
    CHECK(test::message_of<ImageError>([&] { check_truth(truth, {80, 100}); }).size() < 160);
  }
}

TEST_CASE("JSON of a fix has the documented keys and values") {
  const auto json = to_json(some_subject(), some_fix());
  CHECK(json.dump() ==
        R"({"line":7,"ground":"g.jpg","satellite":"s.png","pixel":[30.0,40.0],)"
        R"("covariance_px":[[4.0,1.0],[1.0,9.0]],"radius68_px":20.0,"radius68_m":10.0,)"
        R"("position":[-122.25,47.5],"grid":2,"window":[0.0,0.0,100.0,100.0],"cell":[0,1],)"
        R"("cell_probability":0.5,)"
        R"("truth":[42.0,24.0],"error_px":20.0,"error_m":10.0,"within_radius68":true})");
  CHECK(to_json(some_subject(), "no such file").dump() ==
        R"({"line":7,"ground":"g.jpg","satellite":"s.png","error":"no such file"})");
}

TEST_CASE("JSON leaves out what is not known") {
  Fix fix = some_fix();
  fix.radius68_m.reset();
  fix.position.reset();
  const auto json = to_json({0, "g", "s", {100, 100}, {}}, fix);
  for (const char* key : {"line", "radius68_m", "position", "truth", "error_px", "error_m"}) {
    CHECK_FALSE(json.contains(key));
  }
}

TEST_CASE("the text for people names units") {
  std::ostringstream out;
  print(out, some_subject(), some_fix());
  CHECK(out.str() ==
        "pixel      row 30.0, column 40.0   (of 100 x 100)\n"
        "position   longitude -122.250000, latitude 47.500000\n"
        "radius     20.0 px = 10.00 m   (holds 68 %)\n"
        "truth      row 42.0, column 24.0\n"
        "error      20.0 px = 10.00 m   (within the radius)\n");
}

TEST_CASE("JSON and text of a camera that is not here") {
  Fix fix = some_fix();
  fix.nowhere = 0.125;
  std::ostringstream here;
  print(here, some_subject(), fix);
  CHECK(here.str().find("nowhere    12 %") != std::string::npos);
  CHECK(to_json(some_subject(), fix)["nowhere"] == 0.125);
  fix.nowhere = 0.875;
  std::ostringstream elsewhere;
  print(elsewhere, some_subject(), fix);
  CHECK(elsewhere.str().starts_with(
      "not here   88 %: nothing in the tile looks enough like the ground image\n"));
  CHECK(elsewhere.str().find("(holds 68 % of the tile)") != std::string::npos);
  fix.nowhere = 1;
  fix.blank_satellite = true;
  std::ostringstream blank;
  print(blank, some_subject(), fix);
  CHECK(blank.str().starts_with("not here   100 %: the satellite tile shows nothing\n"));
  CHECK(to_json(some_subject(), fix)["blank_satellite"] == true);
}

TEST_CASE("JSON and text of hypotheses and of a heading that was searched for") {
  Fix fix = some_fix();
  fix.heading_degrees = 359.6;
  fix.heading_sigma_degrees = 20;
  fix.heading_covariance = {1.5, -2, 400};
  fix.hypotheses = {{{31, 41}, GeoPoint{-122.25, 47.5}, 10.25, 0.625},
                    {{70, 8.25}, GeoPoint{-122.5, 47.25}, 359.75, 0.25}};
  const auto json = to_json(some_subject(), fix);
  CHECK(json["heading_covariance"].dump() == "[1.5,-2.0,400.0]");
  CHECK(json["hypotheses"].dump() ==
        R"([{"row":31.0,"col":41.0,"share":0.625,"heading":10.25,"longitude":-122.25,)"
        R"("latitude":47.5},{"row":70.0,"col":8.25,"share":0.25,"heading":359.75,)"
        R"("longitude":-122.5,"latitude":47.25}])");
  const auto text_of = [&] {
    std::ostringstream out;
    print(out, {0, "g", "s", {100, 100}, {}}, fix);
    return out.str();
  };
  CHECK(text_of() ==
        "pixel      row 30.0, column 40.0   (of 100 x 100)\n"
        "position   longitude -122.250000, latitude 47.500000\n"
        "radius     20.0 px = 10.00 m   (holds 68 %)\n"
        "heading    0 degrees clockwise from north, give or take 20\n"
        "hypothesis row 31.0, column 41.0   (62 %, heading 10)\n"
        "hypothesis row 70.0, column 8.2   (25 %, heading 0)\n");

  SECTION("headings that were given are told of the fix alone") {
    fix.heading_sigma_degrees = 0;
    CHECK(text_of().find("heading") == std::string::npos);
    CHECK(text_of().find("column 8.2   (25 %)\n") != std::string::npos);
  }
  SECTION("one alone is the fix's own, and what is not known is left out") {
    fix.hypotheses = {{{31, 41}, {}, {}, 1.0}};
    CHECK(text_of().find("hypothesis") == std::string::npos);
    CHECK(to_json(some_subject(), fix)["hypotheses"].dump() ==
          R"([{"row":31.0,"col":41.0,"share":1.0}])");
  }
}

TEST_CASE("the summary: mean, median, share within the radius") {
  CHECK(summary({{1, 2.0, true}, {3, 6.0, false}, {2, 4.0, true}, {8, 16.0, false}}) ==
        "4 pairs with a truth: error mean 7.00 m, median 5.00 m; 50 % within their radius");
  CHECK(summary({{1, {}, true}, {3, 6.0, false}, {5, 1.0, true}}) ==
        "3 pairs with a truth: error mean 3.00 px, median 3.00 px; 67 % within their radius");
}
