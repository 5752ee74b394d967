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

void CameraChoice::check() const {
  if (heading_degrees && !*heading_degrees && heading_sigma_degrees) {
    throw DataError("--heading-sigma is of a heading that is given, and --heading is unknown");
  }
  if (file.empty()) {
    if (horizontal_fov_degrees && !height) {
      throw DataError("--hfov needs --height METRES, how high above the ground the camera stood");
    }
    return;
  }
  const camera::MountedCamera mounted = io::read_camera(file);
  if (horizontal_fov_degrees) contradict("--camera", "--hfov");
  if (height) contradict("--camera", "--height");
  if (roll_degrees) contradict("--camera", "--roll");
  if (pitch_degrees) contradict("--camera", "--pitch");
  if (pitch_sigma_degrees) contradict("--camera", "--pitch-sigma");
  if (heading_degrees && mounted.mount.heading.known) contradict("--camera", "--heading");
}

GroundInfo CameraChoice::ground_info(Index image_height, Index image_width) const {
  check();
  GroundInfo info;
  info.heading_degrees = heading_degrees.value_or(0.0);
  info.heading_sigma_degrees = heading_sigma_degrees.value_or(0.0);
  if (!file.empty()) {
    info.mounted = io::read_camera(file);
    const camera::Heading& heading = info.mounted->mount.heading;
    if (!heading_degrees) {
      info.heading_degrees = heading.known ? std::optional(heading.degrees) : std::nullopt;
      if (!heading_sigma_degrees) info.heading_sigma_degrees = heading.sigma_degrees;
    }
    return info;
  }
  if (!horizontal_fov_degrees && !height && !roll_degrees && !pitch_degrees &&
      !pitch_sigma_degrees) {
    return info;
  }
  if (!height) {
    throw DataError(
        "--roll, --pitch and --pitch-sigma need --height METRES, how high above the ground the "
        "camera stood");
  }
  const auto model =
      horizontal_fov_degrees ? camera::Model::kPinhole : camera::Model::kEquirectangular;
  info.mounted =
      camera::MountedCamera{camera::camera_of_field_of_view(model, image_height, image_width,
                                                            horizontal_fov_degrees.value_or(360.0)),
                            {.height = *height,
                             .roll_degrees = roll_degrees.value_or(0.0),
                             .pitch_degrees = pitch_degrees.value_or(0.0),
                             .pitch_sigma_degrees = pitch_sigma_degrees.value_or(0.0)}};
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
