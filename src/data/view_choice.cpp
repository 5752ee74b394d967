#include "view_choice.hpp"

#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>

#include "crossfix/core/number_text.hpp"
#include "crossfix/detail/counter_generator.hpp"
#include "crossfix/io/camera_file.hpp"

namespace crossfix::data {
namespace {

const char* name_of(camera::Model model) {
  switch (model) {
    case camera::Model::kEquirectangular:
      return "equirectangular";
    case camera::Model::kCylindrical:
      return "cylindrical";
    case camera::Model::kPinhole:
      return "pinhole";
    case camera::Model::kFisheye:
      break;
  }
  return "fisheye";
}

/// Two independent normal numbers.
struct NormalPair {
  double first = 0;
  double second = 0;
};

NormalPair normal_pair(std::string_view key) {
  const std::uint64_t stream = detail::stream(key);
  const double share = (detail::value(stream, 0) + 1) / 2;  // below 1
  const double turn = std::numbers::pi * (detail::value(stream, 1) + 1);
  const double length = std::sqrt(-2 * std::log(1 - share));
  return {length * std::cos(turn), length * std::sin(turn)};
}

}  // namespace

void ViewChoice::read_camera(const std::filesystem::path& file) {
  const std::string text = io::read_camera_text(file);
  camera = io::parse_camera(text, file.string());
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(detail::stream(text)));
  fingerprint = digits;
}

std::string ViewChoice::description() const {
  if (!camera) return {};
  const camera::Camera& c = camera->camera;
  return std::string(name_of(c.model())) + ", " + std::to_string(c.width()) + " x " +
         std::to_string(c.height()) + " pixels, " + general_text(c.field_of_view().horizontal, 4) +
         " degrees wide";
}

camera::Mount drawn_mount(const ViewChoice& choice, const HeadingNoise& noise,
                          std::string_view ground) {
  camera::Mount mount = choice.camera.value().mount;
  mount.heading.known = true;
  mount.heading.degrees += heading_of(noise, ground);
  if (choice.tilt_degrees > 0) {
    std::string key = "tilt " + std::to_string(noise.seed) + " ";
    key += ground;
    const NormalPair drawn = normal_pair(key);
    mount.pitch_degrees += choice.tilt_degrees * drawn.first;
    mount.roll_degrees += choice.tilt_degrees * drawn.second;
  }
  return mount;
}

camera::Mount told_mount(const ViewChoice& choice, const HeadingNoise& noise,
                         std::string_view ground) {
  const camera::Mount& own = choice.camera.value().mount;
  camera::Mount told = choice.told == TiltTold::truth ? drawn_mount(choice, noise, ground) : own;
  if (choice.told == TiltTold::deviation) {
    told.pitch_sigma_degrees = std::hypot(own.pitch_sigma_degrees, choice.tilt_degrees);
    told.roll_sigma_degrees = std::hypot(own.roll_sigma_degrees, choice.tilt_degrees);
  }
  told.heading = told_heading(noise);
  told.heading.degrees += own.heading.degrees;
  told.heading.sigma_degrees = std::hypot(told.heading.sigma_degrees, own.heading.sigma_degrees);
  return told;
}

}  // namespace crossfix::data
