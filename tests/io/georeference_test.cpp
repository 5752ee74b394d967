#include "crossfix/io/georeference.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"
#include "support/comma_locale.hpp"

using namespace crossfix;
using test::message_of;

TEST_CASE("world pixels of known positions") {
  // The corner and the middle of the map by definition. The tile numbers of a point in Manhattan at
  // zoom 16 (19295, 24640) as any tile server names them, from OpenStreetMap's published formula.
  const PixelPoint middle = io::world_pixel({0, 0}, 0);
  CHECK(middle.row == Approx(128));
  CHECK(middle.col == Approx(128));
  const PixelPoint corner = io::world_pixel({-180, 85.0511287798066}, 3);
  CHECK(std::abs(corner.row) < 1e-6);
  CHECK(corner.col == 0);
  const PixelPoint manhattan = io::world_pixel({-74.0060, 40.7128}, 16);
  CHECK(std::floor(manhattan.col / 256) == 19295);
  CHECK(std::floor(manhattan.row / 256) == 24640);
}

TEST_CASE("world pixels and positions are inverses") {
  for (double latitude : {-85.0, -33.9, -0.001, 0.0, 41.9, 85.0}) {
    for (double longitude : {-180.0, -122.4, 0.0, 151.2, 179.9999}) {
      const GeoPoint back = io::world_position(io::world_pixel({longitude, latitude}));
      // 1e-11 degrees is a micrometre; double leaves about 1e-13 here.
      CHECK(std::abs(back.longitude - longitude) <= 1e-11);
      CHECK(std::abs(back.latitude - latitude) <= 1e-11);
    }
  }
}

TEST_CASE("metres per pixel at VIGOR's zoom") {
  // 156543.03392804097 m at the equator at zoom 0 is the constant that every tile service
  // publishes.
  CHECK(io::metres_per_pixel(0, 0) == Approx(156543.03392804097).epsilon(1e-12));
  CHECK(io::metres_per_pixel(60) == Approx(156543.03392804097 / 1048576 / 2).epsilon(1e-12));
  // The published means of the cities include their own mean latitude: at most 0.3 % off.
  CHECK(io::metres_per_pixel(40.71) == Approx(0.113248).epsilon(3e-3));
  CHECK(io::metres_per_pixel(47.61) == Approx(0.100817).epsilon(3e-3));
  CHECK(io::metres_per_pixel(37.77) == Approx(0.118141).epsilon(3e-3));
  CHECK(io::metres_per_pixel(41.88) == Approx(0.111262).epsilon(3e-3));
}

TEST_CASE("a tile's corners, centre and scale follow from its bounds") {
  const GeoPoint centre{-87.6298, 41.8781};
  const GeoBounds bounds = io::tile_bounds(centre, 640, 640);
  const GeoPoint upper_left = io::position_of(bounds, 640, 640, {0, 0});
  CHECK(upper_left.longitude == Approx(bounds.west).epsilon(1e-14));
  CHECK(upper_left.latitude == Approx(bounds.north).epsilon(1e-14));
  const GeoPoint lower_right = io::position_of(bounds, 640, 640, {640, 640});
  CHECK(lower_right.longitude == Approx(bounds.east).epsilon(1e-14));
  CHECK(lower_right.latitude == Approx(bounds.south).epsilon(1e-14));
  const GeoPoint middle = io::position_of(bounds, 640, 640, {320, 320});
  CHECK(std::abs(middle.latitude - centre.latitude) <= 1e-11);
  CHECK(std::abs(middle.longitude - centre.longitude) <= 1e-11);
  // Across the tile the scale changes by its height over the earth's radius: 1e-5.
  CHECK(io::metres_per_pixel(bounds, 640, 640) ==
        Approx(io::metres_per_pixel(centre.latitude)).epsilon(1e-6));
  CHECK(io::metres_per_pixel(bounds, 320, 320) ==
        Approx(2 * io::metres_per_pixel(centre.latitude)).epsilon(1e-6));
}

TEST_CASE("a position outside or inside a tile has its pixel") {
  const GeoBounds bounds = io::tile_bounds({2.2945, 48.8584}, 300, 500);
  for (const PixelPoint pixel : {PixelPoint{0.5, 499.5}, PixelPoint{-20, 700}}) {
    const PixelPoint back =
        io::pixel_of(bounds, 300, 500, io::position_of(bounds, 300, 500, pixel));
    CHECK(back.row == Approx(pixel.row).margin(1e-5));
    CHECK(back.col == Approx(pixel.col).margin(1e-5));
  }
  // North is up and east is right.
  const PixelPoint middle = io::pixel_of(bounds, 300, 500, {2.2945, 48.8584});
  CHECK(io::pixel_of(bounds, 300, 500, {2.2945, 48.8585}).row < middle.row);
  CHECK(io::pixel_of(bounds, 300, 500, {2.2946, 48.8584}).col > middle.col);
}

TEST_CASE("bounds from text") {
  const GeoBounds bounds = io::parse_bounds("-74.01,40.70,-74.0,40.71");
  CHECK(bounds.west == -74.01);
  CHECK(bounds.south == 40.70);
  CHECK(bounds.east == -74.0);
  CHECK(bounds.north == 40.71);
  for (const std::string text :
       {"", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "1,2,3,inf", "1 2,2,3,4", "1,2,3,4x",
        "3,2,1,4", "1,4,3,2", "1,2,1,4", "-200,2,1,4", "1,2,3,91"}) {
    CAPTURE(text);
    CHECK_THAT(message_of<DataError>([&] { io::parse_bounds(text); }),
               Catch::Contains("west,south,east,north"));
  }
  CHECK_THROWS_AS(io::metres_per_pixel(GeoBounds{1, 2, 1, 4}, 10, 10), DataError);
  CHECK_THROWS_AS(io::position_of(bounds, 0, 10, {0, 0}), DataError);
}

TEST_CASE("bounds may have blanks and plus signs, as other numbers may") {
  const GeoBounds bounds = io::parse_bounds(" 13.4, +52.5 ,13.41,\t52.51");
  CHECK(bounds.west == 13.4);
  CHECK(bounds.south == 52.5);
  CHECK(bounds.north == 52.51);
}

TEST_CASE("bounds that no tile has are refused with their own reason") {
  const std::pair<const char*, const char*> cases[] = {
      {"1113194.9,6446275.8,1113294.9,6446375.8", "metres (EPSG:3857, UTM)"},
      {"391000,5818000,391100,5818100", "metres (EPSG:3857, UTM)"},
      {"179.9,10,-179.9,10.1", "across 180 degrees"},
      {"179.9,10,180.1,10.1", "across 180 degrees"},
      {"8,50.1,8.1,50", "south not below north"},
      {"8.1,50,8,50.1", "west not below east"},
      {"8.1,50.1,8,50", "west and south not below east and north"},
      {"41.8,-122.3,41.9,-122.2", "latitude and longitude swapped"},
      {"170,-95,171,95", "not between -90 and 90"}};
  for (const auto& [text, reason] : cases) {
    CAPTURE(text);
    CHECK_THAT(message_of<DataError>([&] { io::parse_bounds(text); }), Catch::Contains(reason));
  }
}

TEST_CASE("names and messages have points whatever the locale") {
  const test::CommaLocale locale;
  CHECK(io::satellite_name({-122.25, 47.5}) == "satellite_47.5000000000_-122.2500000000.png");
  CHECK(io::position_of_satellite_name("satellite_47.5_-122.25.png")->longitude == -122.25);
  CHECK_THAT(message_of<DataError>([] { io::parse_bounds("8.5,50.5,8.25,50.75"); }),
             Catch::Contains("8.5,50.5,8.25,50.75"));
}

TEST_CASE("VIGOR's file names give latitude, then longitude") {
  const auto tile = io::position_of_satellite_name("Seattle/satellite/satellite_47.61_-122.33.png");
  REQUIRE(tile);
  CHECK(tile->latitude == 47.61);
  CHECK(tile->longitude == -122.33);
  const auto camera = io::position_of_panorama_name("a/_-0a,9_b,47.6101,-122.3301,.jpg");
  REQUIRE(camera);
  CHECK(camera->latitude == 47.6101);
  CHECK(camera->longitude == -122.3301);
  const auto back = io::position_of_satellite_name(io::satellite_name({-122.1234567, 47.7654321}));
  REQUIRE(back);
  CHECK(std::abs(back->latitude - 47.7654321) <= 1e-10);
  CHECK(std::abs(back->longitude + 122.1234567) <= 1e-10);
  for (const char* name :
       {"satellite_47.61.png", "satellite_47.61_x.png", "satellite_95_0.png", "sat_47_-122.png",
        "satellite_47_-122.jpg", "satellite_47_-122_.png", ""}) {
    CHECK_FALSE(io::position_of_satellite_name(name));
  }
  for (const char* name :
       {"47.6,-122.3,.jpg", "id,47.6,,.jpg", "id,47.6,-122.3.jpg", ",.jpg", ""}) {
    CHECK_FALSE(io::position_of_panorama_name(name));
  }
}
