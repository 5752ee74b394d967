#include "camera_choice.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "crossfix/io/camera_file.hpp"

namespace crossfix::pipeline {
namespace {

[[noreturn]] void contradict(const std::string& one, const std::string& other) {
  throw DataError(one + " and " + other + " both say it: give one of them");
}

}  // namespace

CheckedCamera::CheckedCamera(const CameraChoice& choice) : choice_(choice) {
  const auto& c = choice;
  if (c.heading_degrees && !*c.heading_degrees && c.heading_sigma_degrees) {
    throw DataError("--heading-sigma is of a heading that is given, and --heading is unknown");
  }
  if (c.file.empty()) {
    if (c.horizontal_fov_degrees && !c.height) {
      throw DataError("--hfov needs --height METRES, how high above the ground the camera stood");
    }
    if (!c.height && (c.roll_degrees || c.pitch_degrees || c.pitch_sigma_degrees)) {
      throw DataError(
          "--roll, --pitch and --pitch-sigma need --height METRES, how high above the ground the "
          "camera stood");
    }
    return;
  }
  from_file_ = io::read_camera(c.file);
  if (c.horizontal_fov_degrees) contradict("--camera", "--hfov");
  if (c.height) contradict("--camera", "--height");
  if (c.roll_degrees) contradict("--camera", "--roll");
  if (c.pitch_degrees) contradict("--camera", "--pitch");
  if (c.pitch_sigma_degrees) contradict("--camera", "--pitch-sigma");
  if (c.heading_degrees && from_file_->mount.heading.known) contradict("--camera", "--heading");
}

GroundInfo CheckedCamera::ground_info(const Shape<3>& image) const {
  const auto& c = choice_;
  GroundInfo info;
  info.heading_degrees = c.heading_degrees.value_or(0.0);
  info.heading_sigma_degrees = c.heading_sigma_degrees.value_or(0.0);
  if (from_file_) {
    info.mounted = from_file_;
    const camera::Heading& heading = from_file_->mount.heading;
    if (!c.heading_degrees) {
      info.heading_degrees = heading.known ? std::optional(heading.degrees) : std::nullopt;
      if (!c.heading_sigma_degrees) info.heading_sigma_degrees = heading.sigma_degrees;
    }
    return info;
  }
  if (!c.height) return info;  // a whole level panorama
  const auto model =
      c.horizontal_fov_degrees ? camera::Model::kPinhole : camera::Model::kEquirectangular;
  info.mounted = camera::MountedCamera{
      camera::camera_of_field_of_view(model, image[0], image[1],
                                      c.horizontal_fov_degrees.value_or(360.0)),
      {.height = *c.height,
       .roll_degrees = c.roll_degrees.value_or(0.0),
       .pitch_degrees = c.pitch_degrees.value_or(0.0),
       .pitch_sigma_degrees = c.pitch_sigma_degrees.value_or(0.0)}};
  camera::refuse(camera::flaw_of(info.mounted->mount));
  return info;
}

std::optional<double> parse_heading(const std::string& text) {
  if (text == "unknown") return {};
  double degrees = 0;
  const char* const end = text.data() + text.size();
  const bool plus = text.starts_with('+') && !text.starts_with("+-");
  const auto parsed = std::from_chars(text.data() + (plus ? 1 : 0), end, degrees);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(degrees)) {
    throw DataError("degrees clockwise from north, or 'unknown'");
  }
  return degrees;
}

}  // namespace crossfix::pipeline
