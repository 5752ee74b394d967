#include "crossfix/io/camera_file.hpp"

#include <yaml-cpp/yaml.h>

#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "crossfix/io/file_kind.hpp"
#include "file_text.hpp"
#include "regular_file.hpp"
#include "strict_json.hpp"

namespace crossfix::io {

namespace {

using camera::Model;

constexpr std::size_t kMaximumFileBytes = 65536;

constexpr std::array kMountKeys = {"height_m",       "height_sigma_m",   "roll_deg",
                                   "roll_sigma_deg", "pitch_deg",        "pitch_sigma_deg",
                                   "heading_deg",    "heading_sigma_deg"};
constexpr std::array kLensKeys = {"fx", "fy", "cx", "cy", "distortion", "hfov_deg"};
constexpr std::array kSphereKeys = {"azimuth_deg", "elevation_deg", "hfov_deg"};
constexpr std::array kCylinderKeys = {"azimuth_deg", "hfov_deg", "fy", "cy"};

struct ModelName {
  const char* name;
  Model model;
  std::span<const char* const> keys;
};
const std::array<ModelName, 4> kModels = {
    {{"equirectangular", Model::kEquirectangular, kSphereKeys},
     {"cylindrical", Model::kCylindrical, kCylinderKeys},
     {"pinhole", Model::kPinhole, kLensKeys},
     {"fisheye", Model::kFisheye, kLensKeys}}};

/// The keys of a file, and where they stand.
class Page {
 public:
  Page(std::string_view text, std::string_view name) : name_(name) {
    std::vector<YAML::Node> documents;
    try {
      documents = YAML::LoadAll(std::string(text));
    } catch (const YAML::Exception& error) {
      fail(error.mark, "no valid YAML " + shown(error.msg));
    }
    if (documents.size() != 1 || !documents[0].IsMap()) {
      throw DataError(name_ +
                      ": holds no camera; one YAML mapping, 'key: value' a line, is expected");
    }
    for (const auto& entry : documents[0]) {
      if (!entry.first.IsScalar()) fail(entry.first.Mark(), "a key is no word");
      const std::string& key = entry.first.Scalar();
      const auto [known, is_new] =
          entries_.emplace(key, Entry{entry.second, entry.first.Mark().line + 1});
      if (!is_new) {
        fail(entry.first.Mark(), shown(key) + " is given twice, on line " +
                                     std::to_string(known->second.line) + " too");
      }
    }
  }

  bool has(const std::string& key) const { return entries_.contains(key); }

  /// Names the line of a key that is there.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) throw DataError(name_ + ": " + message);
    throw DataError(name_ + ":" + std::to_string(entry->second.line) + ": " + message);
  }
  void refuse(const std::optional<camera::Flaw>& flaw) const {
    if (flaw) fail(flaw->key, flaw->message);
  }
  void need(const std::string& key, const std::string& expected) const {
    if (!has(key)) throw DataError(name_ + ": " + key + " is missing; " + expected);
  }
  /// Refuses two keys that say the same.
  void forbid_both(const std::string& key, const std::string& other) const {
    if (!has(key) || !has(other)) return;
    fail(key, key + " contradicts " + other + " on line " +
                  std::to_string(entries_.at(other).line) + "; one of them is expected");
  }
  /// Refuses keys that a model has no use for.
  void allow(const ModelName& model) const {
    std::string allowed = "model, width, height";
    for (const char* key : model.keys) allowed += std::string(", ") + key;
    for (const char* key : kMountKeys) allowed += std::string(", ") + key;
    const std::string listed = ", " + allowed + ",";
    for (const auto& [key, entry] : entries_) {
      if (key.find(',') == std::string::npos &&
          listed.find(", " + key + ",") != std::string::npos) {
        continue;
      }
      fail(key,
           shown(key) + " is no key of a camera that is " + model.name + "; those are " + allowed);
    }
  }

  /// A word or a number as it stands; quoted text is no number.
  const std::string& text(const std::string& key, const std::string& expected) const {
    const YAML::Node& node = entries_.at(key).node;
    if (!node.IsScalar()) fail(key, key + " is no single value; " + expected + " is expected");
    return node.Scalar();
  }
  double number(const std::string& key) const {
    return number(key, key, entries_.at(key).node, "a number");
  }
  double number_or(const std::string& key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
  }
  Index pixels(const std::string& key) const {
    const double value = number(key);
    if (value != std::floor(value) || std::abs(value) > 1e15) {
      fail(key, key + " is " + text(key, "") + "; a whole number of pixels is expected");
    }
    return static_cast<Index>(value);
  }
  std::vector<double> numbers(const std::string& key, std::span<const std::size_t> counts,
                              const std::string& expected) const {
    const YAML::Node& node = entries_.at(key).node;
    if (!node.IsSequence()) {
      fail(key, key + " is no list; " + expected + " are expected, as [1, 2]");
    }
    if (std::find(counts.begin(), counts.end(), node.size()) == counts.end()) {
      fail(key, key + " holds " + std::to_string(node.size()) + " values; " + expected +
                    " are expected");
    }
    std::vector<double> values;
    for (const YAML::Node& value : node) {
      values.push_back(number(key, "a value of " + key, value, "a number"));
    }
    return values;
  }

 private:
  struct Entry {
    YAML::Node node;
    int line;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
    const bool somewhere = mark.line >= 0;
    throw DataError(name_ + (somewhere ? ":" + std::to_string(mark.line + 1) : "") + ": " +
                    message);
  }
  double number(const std::string& key, const std::string& what, const YAML::Node& node,
                const char* expected) const {
    const auto refuse_value = [&](const std::string& value) {
      fail(key, what + " is " + value + "; " + expected + " is expected");
    };
    if (!node.IsScalar()) refuse_value(node.IsNull() ? "empty" : "no single value");
    const std::string& text = node.Scalar();
    const std::size_t sign = text.starts_with('+') && !text.starts_with("+-") ? 1 : 0;
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + sign, end, value);
    if (error != std::errc() || stop != end) refuse_value(shown(text));
    if (node.Tag() == "!") refuse_value(shown(text) + " in quotes, which make it a text");
    if (!std::isfinite(value)) refuse_value(shown(text) + ", which is not finite");
    return value;
  }

  std::string name_;
  std::map<std::string, Entry> entries_;
};

const ModelName& model_of(const Page& page) {
  const std::string expected = "equirectangular, cylindrical, pinhole or fisheye";
  page.need("model", expected + " is expected");
  const std::string& text = page.text("model", expected);
  for (const ModelName& model : kModels) {
    if (text == model.name) return model;
  }
  page.fail("model", "model is " + shown(text) + "; " + expected + " is expected");
}

/// Azimuths of the left and right edge: all round unless the file says otherwise.
std::array<double, 2> azimuths(const Page& page) {
  page.forbid_both("hfov_deg", "azimuth_deg");
  if (page.has("azimuth_deg")) {
    const auto ends =
        page.numbers("azimuth_deg", std::array<std::size_t, 1>{2}, "two angles, left and right,");
    return {ends[0], ends[1]};
  }
  const double span = page.number_or("hfov_deg", 360);
  page.refuse(camera::flaw_of_field_of_view(camera::Model::kCylindrical, 1, 1, span));
  return {-span / 2, span / 2};
}

camera::Camera sphere(const Page& page, Index height, Index width) {
  const auto [left, right] = azimuths(page);
  camera::EquirectangularParameters parameters{height, width, left, right};
  if (page.has("elevation_deg")) {
    const auto ends = page.numbers("elevation_deg", std::array<std::size_t, 1>{2},
                                   "two angles, of the lower and the upper edge,");
    parameters.elevation_begin = ends[0];
    parameters.elevation_end = ends[1];
  } else if (right - left != 360 || width != 2 * height) {
    page.need("elevation_deg",
              "the elevations of the lower and the upper edge are expected, unless the panorama is "
              "whole and twice as wide as high");
  }
  page.refuse(flaw_of(parameters));
  return camera::Equirectangular(parameters);
}

camera::Camera cylinder(const Page& page, Index height, Index width) {
  const auto [left, right] = azimuths(page);
  auto parameters = camera::square_cylinder(height, width, left, right);
  parameters.fy = page.number_or("fy", parameters.fy);
  parameters.cy = page.number_or("cy", parameters.cy);
  page.refuse(flaw_of(parameters));
  return camera::Cylindrical(parameters);
}

/// What pinhole and fisheye parameters share.
template <class Parameters>
Parameters lens(const Page& page, Index height, Index width) {
  Parameters parameters{height, width};
  for (const char* key : {"fx", "fy", "cx", "cy"}) {
    page.need(key, "fx, fy, cx and cy, or hfov_deg, are expected");
  }
  parameters.fx = page.number("fx");
  parameters.fy = page.number("fy");
  parameters.cx = page.number("cx");
  parameters.cy = page.number("cy");
  return parameters;
}

camera::Camera pinhole(const Page& page, Index height, Index width) {
  auto parameters = lens<camera::PinholeParameters>(page, height, width);
  if (page.has("distortion")) {
    constexpr std::array<std::size_t, 3> kCounts = {4, 5, 8};
    auto d = page.numbers("distortion", kCounts,
                          "4, 5 or 8 numbers, k1, k2, p1, p2, k3, k4, k5, k6 in this order,");
    d.resize(8);
    parameters.distortion = {d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]};
  }
  page.refuse(flaw_of(parameters));
  return camera::Pinhole(parameters);
}

camera::Camera fisheye(const Page& page, Index height, Index width) {
  auto parameters = lens<camera::FisheyeParameters>(page, height, width);
  if (page.has("distortion")) {
    const auto k =
        page.numbers("distortion", std::array<std::size_t, 1>{4}, "4 numbers, k1, k2, k3, k4,");
    std::copy(k.begin(), k.end(), parameters.k);
  }
  page.refuse(flaw_of(parameters));
  return camera::Fisheye(parameters);
}

camera::Camera camera_of(const Page& page, Model model) {
  const Index height = page.pixels("height");
  const Index width = page.pixels("width");
  page.refuse(camera::detail::flaw_of_size(height, width));
  if (model == Model::kEquirectangular) return sphere(page, height, width);
  if (model == Model::kCylindrical) return cylinder(page, height, width);
  if (page.has("hfov_deg")) {
    for (const char* key : {"fx", "fy", "cx", "cy", "distortion"}) {
      page.forbid_both("hfov_deg", key);
    }
    const double degrees = page.number("hfov_deg");
    page.refuse(camera::flaw_of_field_of_view(model, height, width, degrees));
    return camera::camera_of_field_of_view(model, height, width, degrees);
  }
  return model == Model::kPinhole ? pinhole(page, height, width) : fisheye(page, height, width);
}

camera::Mount mount_of(const Page& page) {
  camera::Mount mount;
  page.need("height_m", "the camera's height above the ground in metres is expected");
  mount.height = page.number("height_m");
  mount.height_sigma = page.number_or("height_sigma_m", 0);
  mount.roll_degrees = page.number_or("roll_deg", 0);
  mount.roll_sigma_degrees = page.number_or("roll_sigma_deg", 0);
  mount.pitch_degrees = page.number_or("pitch_deg", 0);
  mount.pitch_sigma_degrees = page.number_or("pitch_sigma_deg", 0);
  mount.heading.known =
      page.has("heading_deg") && page.text("heading_deg", "a number or unknown") != "unknown";
  if (mount.heading.known) {
    mount.heading.degrees = page.number("heading_deg");
    mount.heading.sigma_degrees = page.number_or("heading_sigma_deg", 0);
  } else if (page.has("heading_sigma_deg")) {
    page.fail("heading_sigma_deg",
              "heading_sigma_deg without a heading; heading_deg as a number is expected beside it");
  }
  page.refuse(flaw_of(mount));
  return mount;
}

}  // namespace

camera::MountedCamera parse_camera(std::string_view text, std::string_view name) {
  const Page page(text, name);
  const ModelName& model = model_of(page);
  page.allow(model);
  for (const char* key : {"width", "height"}) {
    page.need(key, "the size in pixels of the image is expected");
  }
  return {camera_of(page, model.model), mount_of(page)};
}

std::string read_camera_text(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& why) {
    throw DataError(path.string() + ": " + why + "; a camera file is expected");
  };
  if (const std::string why = why_not_readable(path); !why.empty()) fail(why);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("it cannot be opened");
  std::string text(kMaximumFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) fail("it cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto kind = kind_of_file(text);
  if (kind && kind->sort != FileKind::Sort::json) fail("it is " + kind->text());  // JSON is YAML
  if (text.size() > kMaximumFileBytes) fail("it is larger than 64 KiB");
  return as_text(std::move(text), path);
}

camera::MountedCamera read_camera(const std::filesystem::path& path) {
  return parse_camera(read_camera_text(path), path.string());
}

}  // namespace crossfix::io
