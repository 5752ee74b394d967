#include "crossfix/io/configuration.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using io::parse_configuration;
using model::Configuration;
using model::GroundProjection;
using test::message_of;

namespace {

std::string refusal(const std::string& json) {
  return message_of<WeightsError>([&] { parse_configuration(json); });
}

void check_equal(const Configuration& a, const Configuration& b) {
  CHECK(a.family == b.family);
  CHECK(a.backbone.blocks == b.backbone.blocks);
  CHECK(a.backbone.planes == b.backbone.planes);
  CHECK(a.backbone.shared == b.backbone.shared);
  CHECK(a.model_width == b.model_width);
  CHECK(a.heads == b.heads);
  CHECK(a.encoder_layers == b.encoder_layers);
  CHECK(a.ffn_width == b.ffn_width);
  CHECK(a.grid == b.grid);
  CHECK(a.satellite_size == b.satellite_size);
  CHECK(a.ground_size == b.ground_size);
  CHECK(a.normalization.mean == b.normalization.mean);
  CHECK(a.normalization.std == b.normalization.std);
  CHECK(a.ground_projection == b.ground_projection);
  CHECK(a.horizontal_fov_degrees == b.horizontal_fov_degrees);
  CHECK(a.metres_per_network_pixel == b.metres_per_network_pixel);
  CHECK(a.trained_on == b.trained_on);
  CHECK(a.decoding.temperature == b.decoding.temperature);
  CHECK(a.radius_scale == b.radius_scale);
  CHECK(a.decoding.fix == b.decoding.fix);
  CHECK(a.nowhere.area == b.nowhere.area);
  CHECK(a.nowhere.wrong_share == b.nowhere.wrong_share);
  CHECK(a.nowhere.bias == b.nowhere.bias);
  CHECK(a.nowhere.weights == b.nowhere.weights);
}

Configuration unusual() {
  Configuration c;
  c.backbone = {{1, 2, 3}, 24, true};
  c.model_width = 128;
  c.heads = 4;
  c.encoder_layers = 2;
  c.ffn_width = 320;
  c.grid = 16;
  c.satellite_size = 384;
  c.ground_size = {160, 240};
  c.normalization = {{0.1F, 0.2F, 0.3F}, {0.4F, 1.5F, 3.0F}};
  c.ground_projection = GroundProjection::pinhole;
  c.horizontal_fov_degrees = 63.5;
  c.metres_per_network_pixel = std::nullopt;
  c.trained_on = "two \"towns\"\nof nowhere";
  c.decoding = {1.7, ops::FixRule::neighbourhood};
  c.radius_scale = 0.875;
  c.nowhere = {.bias = -1.5, .weights = {0.5, -2, 0, 1e-3, 30}, .wrong_share = 0.25, .area = 0.75};
  return c;
}

}  // namespace

TEST_CASE("an empty configuration is the reference network at VIGOR size") {
  check_equal(parse_configuration("{}"), Configuration{});
}

TEST_CASE("every field comes back as written") {
  check_equal(parse_configuration(io::to_json(Configuration{})), Configuration{});
  check_equal(parse_configuration(io::to_json(unusual())), unusual());
  Configuration mcc;
  mcc.family = model::Family::mcc;
  mcc.satellite_size = mcc.grid = 512;
  mcc.ground_size = {154, 231};
  check_equal(parse_configuration(io::to_json(mcc)), mcc);
  const std::string json = io::to_json(Configuration{});
  CHECK(json.find('\n') == std::string::npos);
  CHECK_THAT(json, Catch::Contains("[0.485,0.456,0.406]"));
}

TEST_CASE("fields unknown here are passed over") {
  const Configuration c =
      parse_configuration(R"({"heads":4,"future":{"a":[1,{"b":2}]},"trunk":{"kind":"x"}})");
  CHECK(c.heads == 4);
  CHECK(c.backbone.planes == 64);
}

TEST_CASE("a wrong field is refused with its name, its value and what would be right") {
  const std::vector<std::array<std::string, 3>> cases = {
      {R"({"format":2})", "format 2", "newer crossfix"},
      {R"({"format":"1"})", "'format' is '\"1\"'", "integer"},
      {R"({"format":0})", "'format' is '0'", "integer"},
      {R"([])", "no JSON object", ""},
      {R"({"nowhere":{}})", "'nowhere'", "an object with bias"},
      {R"({"nowhere":{"bias":1}})", "'nowhere'", "an object with area"},
      {R"({"nowhere":{"bias":1,"area":2}})", "'nowhere.area' is '2'", "from 0.0 to 1.0"},
      {R"({"heads":4,"heads":8})", "'heads' twice", ""},
      {R"({"heads":4)", "no valid JSON", ""},
      {R"({"heads":0})", "'heads' is '0'", "from 1"},
      {R"({"heads":8.0})", "'heads' is '8.0'", "integer"},
      {R"({"heads":"8"})", "'heads'", "integer"},
      {R"({"heads":null})", "'heads' is 'null'", "integer"},
      {R"({"heads":18446744073709551615})", "'heads'", "integer"},
      {R"({"heads":6})", "'model_width' is '256'", "heads = 6"},
      {R"({"model_width":130,"heads":2})", "'model_width' is '130'", "multiple of 4"},
      {R"({"encoder_layers":0})", "'encoder_layers'", "from 1"},
      {R"({"ffn_width":-1})", "'ffn_width' is '-1'", "from 1"},
      {R"({"ffn_width":1000000})", "'ffn_width'", "to 65536"},
      {R"({"grid":0})", "'grid'", "from 1"},
      {R"({"satellite_size":260})", "'satellite_size' is '260'", "multiple of 8 grid = 256"},
      {R"({"satellite_size":100000})", "'satellite_size'", "to 2048"},
      {R"({"satellite_size":4096,"grid":256})", "'satellite_size'", "to 2048"},
      {R"({"ground_size":[256,2056]})", "'ground_size'", "to 2048"},
      {R"({"network":"mcc","satellite_size":128,"grid":4096})", "'grid'", "to 2048"},
      {R"({"ground_size":[256,500]})", "'ground_size' is '500'", "multiple of 8"},
      {R"({"ground_size":[256]})", "'ground_size'", "list of 2"},
      {R"({"ground_size":256})", "'ground_size'", "list of 2"},
      {R"({"trunk":[3,4,6]})", "'trunk'", "an object"},
      {R"({"network":"resnet"})", "'network' is '\"resnet\"'",
       "\"crossfix\" or \"mcc\" or \"vigor-baseline\""},
      {R"({"network":"mcc","satellite_size":512})", "'grid' is '32'", "512"},
      {R"({"network":"mcc","satellite_size":320,"grid":320})", "'satellite_size'", "128"},
      {R"({"network":"vigor-baseline","grid":1,"trunk":{"planes":12}})", "'trunk.planes'",
       "a multiple of 8"},
      {R"({"network":"vigor-baseline"})", "'grid' is '32'", "1"},
      {R"({"trunk":{"blocks":[3,4,0]}})", "'trunk.blocks' is '0'", "from 1"},
      {R"({"trunk":{"blocks":[3,4,6,3]}})", "'trunk.blocks'", "list of 3"},
      {R"({"trunk":{"planes":0}})", "'trunk.planes'", "from 1"},
      {R"({"trunk":{"shared":1}})", "'trunk.shared' is '1'", "true or false"},
      {R"({"normalization":{"mean":[0,0]}})", "'normalization.mean'", "list of 3"},
      {R"({"normalization":{"mean":[0,0,"0"]}})", "'normalization.mean'", "a number"},
      {R"({"normalization":{"std":[1,1,0]}})", "'normalization.std' is '0'", "from 0.001"},
      {R"({"normalization":{"std":[1,1,1e-40]}})", "'normalization.std'", "from 0.001"},
      {R"({"normalization":{"std":[1,1,1e9]}})", "'normalization.std'", "to 1000.0"},
      {R"({"normalization":{"mean":[0,-1e30,0]}})", "'normalization.mean'", "from -1000.0"},
      {R"({"metres_per_network_pixel":1e300})", "'metres_per_network_pixel'", "to 1000.0"},
      {R"({"metres_per_network_pixel":1e-9})", "'metres_per_network_pixel'", "from 0.001"},
      {R"({"ground_match":{"height":1e-300}})", "'ground_match.height'", "from 0.01"},
      {R"({"ground_match":{"nearest":1e9}})", "'ground_match.nearest'", "to 1000.0"},
      {R"({"ground_projection":{"kind":"fisheye"}})", "'ground_projection.kind'", "pinhole"},
      {R"({"ground_projection":{"kind":"pinhole","horizontal_fov_degrees":180}})",
       "'ground_projection.horizontal_fov_degrees' is '180'", "below 180"},
      {R"({"ground_projection":{"horizontal_fov_degrees":90}})",
       "'ground_projection.horizontal_fov_degrees'", "null"},
      {R"({"metres_per_network_pixel":0})", "'metres_per_network_pixel'", "from 0.001"},
      {R"({"metres_per_network_pixel":"0.2"})", "'metres_per_network_pixel'", "a number"},
      {R"({"trained_on":3})", "'trained_on' is '3'", "text"},
      {R"({"radius_scale":0})", "'radius_scale' is '0'", "from 0.001"},
      {R"({"radius_scale":1e9})", "'radius_scale'", "to 1000"},
      {R"({"temperature":-1})", "'temperature' is '-1'", "from 0.0001"},
      {R"({"temperature":1e-39})", "'temperature'", "from 0.0001"},
      {R"({"temperature":1e300})", "'temperature'", "to 10000"},
      {R"({"network":"ground-match","metres_per_network_pixel":4})",
       "'metres_per_network_pixel' is '4", "from 0.05 to 1"},
      {R"({"network":"ground-match","metres_per_network_pixel":0.01})",
       "'metres_per_network_pixel'", "from 0.05 to 1"},
      {R"({"network":"ground-match","ground_match":{"farthest":2}})", "'ground_match.farthest'",
       "at least 12 network pixels"},
      {R"({"network":"ground-match","ground_match":{"farthest":900}})", "'ground_match.farthest'",
       "at most 1024 network pixels"},
      {R"({"network":"ground-match","ground_match":{"range":0.01}})", "'ground_match.range'",
       "from 0.5"},
      {R"({"network":"ground-match","ground_match":{"largest_ratio":0.5}})",
       "'ground_match.largest_ratio'", "from 1.0 to 10.0"},
      {R"({"network":"ground-match","ground_match":{"range_weights":[1]}})",
       "'ground_match.range_weights'", "a list of 2 to 1000 numbers"},
      {R"({"network":"ground-match","ground_match":{"range_weights":[1,0]}})",
       "'ground_match.range_weights'", "numbers from 1e-6 to 1e6"},
      {R"({"network":"ground-match","ground_match":{"range_weights":[1,null]}})",
       "'ground_match.range_weights'", "numbers from 1e-6 to 1e6"},
      {R"({"network":"ground-match","ground_match":{"adapters":9}})", "'ground_match.adapters'",
       "from 0 to 8"},
      {R"({"fix":"mean"})", "'fix' is '\"mean\"'", "\"best_cell\" or \"neighbourhood\""},
      {R"({"temperature":null})", "'temperature' is 'null'", "a number"},
  };
  for (const auto& [json, field, expected] : cases) {
    CAPTURE(json);
    CHECK_THAT(refusal(json), Catch::Contains(field) && Catch::Contains(expected));
  }
}

TEST_CASE("a file's configuration is read from its metadata; errors name the file") {
  const test::ScratchFolder folder;
  io::write_safetensors(folder / "bare", {}, {{"format", "pt"}});
  check_equal(io::read_configuration(io::Safetensors::open(folder / "bare")), Configuration{});
  io::write_safetensors(folder / "full", {}, {{"crossfix", io::to_json(unusual())}});
  check_equal(io::read_configuration(io::Safetensors::open(folder / "full")), unusual());
  io::write_safetensors(folder / "bad", {}, {{"crossfix", R"({"heads":0})"}});
  const io::Safetensors bad = io::Safetensors::open(folder / "bad");
  CHECK_THAT(message_of<WeightsError>([&] { io::read_configuration(bad); }),
             Catch::Contains((folder / "bad").string()) && Catch::Contains("heads"));
}

TEST_CASE("a matcher's configuration survives being written and read") {
  model::Configuration written;
  written.family = model::Family::ground_match;
  written.ground_match = {.blocks = 4,
                          .height = 1.7,
                          .nearest = 2,
                          .farthest = 20,
                          .range = 7,
                          .range_weights = {2, 1, 0.25},
                          .adapters = 3,
                          .headings = 36,
                          .ratios = 5,
                          .largest_ratio = 1.2};
  written.metres_per_network_pixel = 0.25;
  written.decoding.temperature = 0.03;
  const model::Configuration read = io::parse_configuration(io::to_json(written));
  CHECK(read.family == written.family);
  CHECK(read.ground_match.blocks == 4);
  CHECK(read.ground_match.height == 1.7);
  CHECK(read.ground_match.nearest == 2);
  CHECK(read.ground_match.farthest == 20);
  CHECK(read.ground_match.range == 7);
  CHECK(read.ground_match.range_weights == std::vector<double>{2, 1, 0.25});
  CHECK(read.ground_match.weight(0) == 2);
  CHECK(read.ground_match.weight(5) == Approx(std::sqrt(2.0)));
  CHECK(read.ground_match.weight(15) == Approx(0.5));
  CHECK(read.ground_match.weight(20) == Approx(0.25));
  CHECK(read.ground_match.adapters == 3);
  CHECK(read.ground_match.headings == 36);
  CHECK(read.ground_match.ratios == 5);
  CHECK(read.ground_match.largest_ratio == 1.2);
  CHECK(read.metres_per_network_pixel == 0.25);
  CHECK(read.decoding.temperature == 0.03);
  CHECK(io::to_json(read) == io::to_json(written));
}
