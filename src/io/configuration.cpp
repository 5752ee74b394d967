#include "crossfix/io/configuration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/model/backbone/efficientnet_lite.hpp"
#include "strict_json.hpp"

namespace crossfix::io {

namespace {

using model::Configuration;
using model::Family;
using model::GroundProjection;
using ops::FixRule;

constexpr int kFormat = 1;
constexpr int kDeepest = 16;  ///< leaves room for future fields
/// Network pixels from the middle of a ground view to its edge.
constexpr Index kNarrowestView = 12;
constexpr Index kWidestView = 1024;
/// Metres per network pixel, for weights that match on the ground plane.
constexpr double kMatchedScales[2] = {0.05, 1.0};
constexpr std::size_t kMostRangeWeights = 1000;
constexpr double kRangeWeights[2] = {1e-6, 1e6};
constexpr double kSteepest = 1e4;      ///< of a weight of `nowhere`, either way
constexpr Index kLargest = 1 << 16;    ///< of any count or width; keeps products far from overflow
constexpr Index kLargestInput = 2048;  ///< side of an image as a network sees it, pixels

[[noreturn]] void fail(const std::string& field, const Json& value, const std::string& expected) {
  throw WeightsError("configuration field '" + field + "' is " + shown(value.dump()) + "; " +
                     expected + " is expected");
}

/// A JSON object inside the configuration, with its dotted name.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  /// Calls `read(value, full name)` if the field is present.
  template <class F>
  void with(const char* name, F&& read) const {
    if (const auto found = object_.find(name); found != object_.end()) {
      read(*found, prefix_ + name);
    }
  }

  void read(const char* name, Index& out, Index lowest, Index largest = kLargest) const {
    with(name, [&](const Json& value, const std::string& full) {
      out = integer(value, full, lowest, largest);
    });
  }
  void read(const char* name, bool& out) const {
    with(name, [&](const Json& value, const std::string& full) {
      if (!value.is_boolean()) fail(full, value, "true or false");
      out = value.get<bool>();
    });
  }
  void read(const char* name, std::string& out) const {
    with(name, [&](const Json& value, const std::string& full) {
      if (!value.is_string()) fail(full, value, "text");
      out = value.get<std::string>();
    });
  }
  /// A number from `lowest` to `largest`.
  void read_within(const char* name, double& out, double lowest, double largest) const {
    with(name, [&](const Json& value, const std::string& full) {
      out = within(value, full, lowest, largest);
    });
  }
  /// A number above 0 and below `below`, or null.
  void read(const char* name, std::optional<double>& out, double below) const {
    with(name, [&](const Json& value, const std::string& full) {
      out = value.is_null() ? std::nullopt : std::optional(positive(value, full, below));
    });
  }
  /// A number from `lowest` to `largest`, or null.
  void read_within(const char* name, std::optional<double>& out, double lowest,
                   double largest) const {
    with(name, [&](const Json& value, const std::string& full) {
      out = value.is_null() ? std::nullopt : std::optional(within(value, full, lowest, largest));
    });
  }
  template <std::size_t N>
  void read(const char* name, std::array<Index, N>& out, Index lowest, Index largest) const {
    read_list(name, out, [&](const Json& value, const std::string& full) {
      return integer(value, full, lowest, largest);
    });
  }
  /// Numbers from `lowest` to `largest`.
  template <std::size_t N>
  void read_within(const char* name, std::array<float, N>& out, double lowest,
                   double largest) const {
    read_list(name, out, [&](const Json& value, const std::string& full) {
      return static_cast<float>(within(value, full, lowest, largest));
    });
  }
  /// The object under a name, or an empty one.
  Fields nested(const char* name) const {
    static const Json empty = Json::object();
    const auto found = object_.find(name);
    if (found == object_.end()) return {empty, prefix_ + name + "."};
    if (!found->is_object()) fail(prefix_ + name, *found, "an object");
    return {*found, prefix_ + name + "."};
  }

 private:
  static Index integer(const Json& value, const std::string& full, Index lowest, Index largest) {
    if (!value.is_number_integer() || value < lowest || value > largest) {
      fail(full, value,
           "an integer from " + std::to_string(lowest) + " to " + std::to_string(largest));
    }
    return value.get<Index>();
  }
  static double within(const Json& value, const std::string& full, double lowest, double largest) {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(number >= lowest && number <= largest)) {
      fail(full, value, "a number from " + Json(lowest).dump() + " to " + Json(largest).dump());
    }
    return number;
  }
  static double positive(const Json& value, const std::string& full, double below) {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(number > 0 && number < below)) {
      fail(full, value, "a number above 0 and below " + Json(below).dump());
    }
    return number;
  }
  template <class T, std::size_t N, class F>
  void read_list(const char* name, std::array<T, N>& out, F&& element) const {
    with(name, [&](const Json& value, const std::string& full) {
      if (!value.is_array() || value.size() != N) {
        fail(full, value, "a list of " + std::to_string(N) + " numbers");
      }
      for (std::size_t i = 0; i < N; ++i) out[i] = element(value[i], full);
    });
  }

  const Json& object_;
  std::string prefix_;
};

/// The values of an enumeration by their names in the JSON, the default first.
template <class T>
using Names = std::vector<std::pair<const char*, T>>;

const Names<GroundProjection> kProjections{{"equirectangular", GroundProjection::equirectangular},
                                           {"pinhole", GroundProjection::pinhole}};
const Names<FixRule> kFixRules{{"best_cell", FixRule::best_cell},
                               {"neighbourhood", FixRule::neighbourhood}};
const Names<Family> kFamilies{{"crossfix", Family::crossfix},
                              {"mcc", Family::mcc},
                              {"vigor-baseline", Family::vigor_baseline},
                              {"ground-match", Family::ground_match}};

template <class T>
T named(const Fields& fields, const char* field, const Names<T>& names) {
  T result = names[0].second;
  fields.with(field, [&](const Json& value, const std::string& full) {
    std::string expected;
    for (const auto& [name, named] : names) {
      if (value == name) {
        result = named;
        return;
      }
      expected += (expected.empty() ? "\"" : " or \"") + std::string(name) + "\"";
    }
    fail(full, value, expected);
  });
  return result;
}

template <class T>
const char* name_of(T wanted, const Names<T>& names) {
  for (const auto& [name, value] : names) {
    if (value == wanted) return name;
  }
  return names[0].first;
}

/// Checks conditions that involve several fields.
void check_together(const Configuration& c) {
  const auto require = [](bool holds, const std::string& field, const Json& value,
                          const std::string& expected) {
    if (!holds) fail(field, value, expected);
  };
  if (c.family == Family::ground_match) {
    const auto& match = c.ground_match;
    require(c.metres_per_network_pixel.has_value(), "metres_per_network_pixel", Json(),
            "a number above 0, the scale of what the backbone sees,");
    require(c.ground_projection == GroundProjection::equirectangular, "ground_projection.kind",
            name_of(c.ground_projection, kProjections), "\"equirectangular\"");
    const double scale = *c.metres_per_network_pixel;
    require(scale >= kMatchedScales[0] && scale <= kMatchedScales[1], "metres_per_network_pixel",
            scale,
            "from " + Json(kMatchedScales[0]).dump() + " to " + Json(kMatchedScales[1]).dump() +
                " of weights that match on the ground,");
    require(match.farthest / scale >= kNarrowestView, "ground_match.farthest", match.farthest,
            "at least " + std::to_string(kNarrowestView) + " network pixels");
    require(match.nearest < match.farthest, "ground_match.nearest", match.nearest,
            "less than farthest = " + Json(match.farthest).dump());
    require(match.farthest / scale <= kWidestView, "ground_match.farthest", match.farthest,
            "at most " + std::to_string(kWidestView) + " network pixels");
    return;
  }
  if (c.family != Family::crossfix) {
    const bool mcc = c.family == Family::mcc;
    require(c.backbone.planes % 8 == 0, "trunk.planes", c.backbone.planes, "a multiple of 8");
    require(!mcc || c.satellite_size % 128 == 0, "satellite_size", c.satellite_size,
            "a multiple of 128");
    const Index grid = mcc ? c.satellite_size : 1;
    require(c.grid == grid, "grid", c.grid, std::to_string(grid) + ", as this network has it,");
    return;
  }
  require(c.model_width % 4 == 0 && c.model_width % c.heads == 0, "model_width", c.model_width,
          "a multiple of 4 and of heads = " + std::to_string(c.heads));
  const Index stride = Configuration::kBackboneStride;
  require(c.satellite_size % (stride * c.grid) == 0, "satellite_size", c.satellite_size,
          "a multiple of 8 grid = " + std::to_string(stride * c.grid));
  for (Index side : c.ground_size) {
    require(side % stride == 0, "ground_size", side, "a multiple of " + std::to_string(stride));
  }
}

/// The double whose shortest decimal is the float's: 0.485F becomes 0.485.
double decimal(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = 0;
  std::from_chars(text, end, result);
  return result;
}

Json optional_number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

}  // namespace

model::Configuration parse_configuration(const std::string& json) {
  const Json document = parse_strict("the configuration", json, kDeepest);
  if (!document.is_object()) throw WeightsError("the configuration is no JSON object");
  const Fields fields(document, "");
  fields.with("format", [](const Json& value, const std::string& full) {
    if (!value.is_number_integer() || value < 1) fail(full, value, "an integer from 1");
    if (value != kFormat) {
      throw WeightsError("the configuration has format " + value.dump() +
                         ", written by a newer crossfix; this one reads format " +
                         std::to_string(kFormat));
    }
  });
  Configuration c;
  c.family = named(fields, "network", kFamilies);
  const Fields backbone = fields.nested("trunk");
  backbone.read("blocks", c.backbone.blocks, 1, 1000);
  backbone.read("planes", c.backbone.planes, 1);
  backbone.read("shared", c.backbone.shared);
  fields.read("model_width", c.model_width, 4);
  fields.read("heads", c.heads, 1);
  fields.read("encoder_layers", c.encoder_layers, 1, 1000);
  fields.read("ffn_width", c.ffn_width, 1);
  fields.read("grid", c.grid, 1, kLargestInput);
  fields.read("satellite_size", c.satellite_size, 8, kLargestInput);
  fields.read("ground_size", c.ground_size, 8, kLargestInput);
  const Fields normalization = fields.nested("normalization");
  // Of values from 0 to 1, or from 0 to 255.
  normalization.read_within("mean", c.normalization.mean, -1e3, 1e3);
  normalization.read_within("std", c.normalization.std, 1e-3, 1e3);
  const Fields projection = fields.nested("ground_projection");
  c.ground_projection = named(projection, "kind", kProjections);
  projection.read("horizontal_fov_degrees", c.horizontal_fov_degrees, 180.0);
  if (c.horizontal_fov_degrees && c.ground_projection != GroundProjection::pinhole) {
    fail("ground_projection.horizontal_fov_degrees", Json(*c.horizontal_fov_degrees),
         "null beside an equirectangular projection");
  }
  const Fields match = fields.nested("ground_match");
  match.read("blocks", c.ground_match.blocks, 3, model::EfficientNetLiteWeights::kBlocks);
  match.read_within("height", c.ground_match.height, 0.01, 1000.0);
  match.read_within("nearest", c.ground_match.nearest, 0.001, 1000.0);
  match.read_within("farthest", c.ground_match.farthest, 0.01, 1000.0);
  match.read_within("range", c.ground_match.range, 0.5, 1000.0);
  match.read("adapters", c.ground_match.adapters, 0, model::EfficientNetLiteWeights::kAdapters);
  match.with("range_weights", [&](const Json& value, const std::string& full) {
    if (!value.is_array() || value.size() < 2 || value.size() > kMostRangeWeights) {
      fail(full, value, "a list of 2 to " + std::to_string(kMostRangeWeights) + " numbers");
    }
    for (const Json& weight : value) {
      const double number = weight.is_number() ? weight.get<double>() : std::nan("");
      if (!(number >= kRangeWeights[0] && number <= kRangeWeights[1])) {
        fail(full, weight, "numbers from 1e-6 to 1e6");
      }
      c.ground_match.range_weights.push_back(number);
    }
  });
  match.read("ratios", c.ground_match.ratios, 1, 15);
  match.read_within("largest_ratio", c.ground_match.largest_ratio, 1.0, 10.0);
  match.read("headings", c.ground_match.headings, 1, 360);
  fields.read_within("metres_per_network_pixel", c.metres_per_network_pixel, 1e-3, 1e3);
  fields.read("trained_on", c.trained_on);
  // Far beyond what calibration finds, but still a range in which float exponentials distinguish
  // scores.
  fields.read_within("temperature", c.decoding.temperature, 1e-4, 1e4);
  fields.read_within("radius_scale", c.radius_scale, 1e-3, 1e3);
  c.decoding.fix = named(fields, "fix", kFixRules);
  fields.with("nowhere", [&](const Json& value, const std::string&) {
    const Fields nowhere = fields.nested("nowhere");
    for (const char* name : {"bias", "area"}) {
      if (!value.contains(name)) fail("nowhere", value, std::string("an object with ") + name);
    }
    c.nowhere = {.bias = 0, .weights = {}, .area = 0.5};
    nowhere.read_within("bias", c.nowhere.bias, -kSteepest, kSteepest);
    nowhere.read_within("wrong_share", c.nowhere.wrong_share, 0, 1);
    nowhere.read_within("area", *c.nowhere.area, 0, 1);
    for (std::size_t i = 0; i < c.nowhere.weights.size(); ++i) {
      nowhere.read_within(ops::Evidence::kNames[i], c.nowhere.weights[i], -kSteepest, kSteepest);
    }
  });
  check_together(c);
  return c;
}

model::Configuration read_configuration(const Safetensors& file) {
  const auto found = file.metadata().find(kConfigurationKey);
  if (found == file.metadata().end()) return {};
  try {
    return parse_configuration(found->second);
  } catch (const WeightsError& error) {
    throw WeightsError("cannot read weights '" + file.path().string() + "': " + error.what());
  }
}

std::string to_json(const model::Configuration& c) {
  const bool pinhole = c.ground_projection == GroundProjection::pinhole;
  nlohmann::ordered_json projection = {{"kind", name_of(c.ground_projection, kProjections)}};
  if (pinhole) {
    projection["horizontal_fov_degrees"] = optional_number(c.horizontal_fov_degrees);
  }
  nlohmann::ordered_json mean;
  nlohmann::ordered_json std;
  for (float value : c.normalization.mean) mean.push_back(decimal(value));
  for (float value : c.normalization.std) std.push_back(decimal(value));
  nlohmann::ordered_json document = {{"format", kFormat},
                                     {"network", name_of(c.family, kFamilies)}};
  const nlohmann::ordered_json normalization = {{"mean", mean}, {"std", std}};
  if (c.family == Family::ground_match) {
    const auto& match = c.ground_match;
    document["ground_match"] = {{"blocks", match.blocks},    {"height", match.height},
                                {"nearest", match.nearest},  {"farthest", match.farthest},
                                {"range", match.range},      {"headings", match.headings},
                                {"ratios", match.ratios},    {"largest_ratio", match.largest_ratio},
                                {"adapters", match.adapters}};
    if (!match.range_weights.empty()) {
      document["ground_match"]["range_weights"] = match.range_weights;
    }
    document["normalization"] = normalization;
  } else {
    document["trunk"] = {{"blocks", c.backbone.blocks},
                         {"planes", c.backbone.planes},
                         {"shared", c.backbone.shared}};
    document["model_width"] = c.model_width;
    document["heads"] = c.heads;
    document["encoder_layers"] = c.encoder_layers;
    document["ffn_width"] = c.ffn_width;
    document["grid"] = c.grid;
    document["satellite_size"] = c.satellite_size;
    document["ground_size"] = c.ground_size;
    document["normalization"] = normalization;
    document["ground_projection"] = projection;
  }
  document["metres_per_network_pixel"] = optional_number(c.metres_per_network_pixel);
  document["trained_on"] = c.trained_on;
  document["temperature"] = c.decoding.temperature;
  document["radius_scale"] = c.radius_scale;
  document["fix"] = name_of(c.decoding.fix, kFixRules);
  if (c.nowhere.area) {
    document["nowhere"] = {{"bias", c.nowhere.bias},
                           {"wrong_share", c.nowhere.wrong_share},
                           {"area", *c.nowhere.area}};
    for (std::size_t i = 0; i < c.nowhere.weights.size(); ++i) {
      document["nowhere"][ops::Evidence::kNames[i]] = c.nowhere.weights[i];
    }
  }
  return document.dump();
}

}  // namespace crossfix::io
