#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// The camera of a ground image as options name it: by a file, by the angle of a photo's width, or
/// a whole panorama; and how it stands.
struct CameraChoice {
  std::filesystem::path file;                    ///< docs/cameras.md; or empty
  std::optional<double> horizontal_fov_degrees;  ///< of a photo without distortion
  std::optional<double> height;                  ///< metres above the ground
  std::optional<double> roll_degrees;            ///< clockwise as seen from behind is positive
  std::optional<double> pitch_degrees;           ///< up is positive
  std::optional<double> pitch_sigma_degrees;     ///< standard deviation
  /// Degrees clockwise from north; the inner one is empty where it is unknown. Empty: as the file
  /// says, else north.
  std::optional<std::optional<double>> heading_degrees;
  std::optional<double> heading_sigma_degrees;
};

/// A choice that was checked, its file read once.
class CheckedCamera {
 public:
  /// Throws DataError, one line, for choices that contradict each other and for a file that is no
  /// camera's.
  explicit CheckedCamera(const CameraChoice& choice);

  /// For an image of shape [height, width, 3]. Throws DataError for a camera that such an image is
  /// not of.
  GroundInfo ground_info(const Shape<3>& image) const;

 private:
  CameraChoice choice_;
  std::optional<camera::MountedCamera> from_file_;
};

/// The options of the command line that are one number each: name, field, help.
struct CameraOption {
  const char* name;
  std::optional<double> CameraChoice::*field;
  const char* help;
};
inline constexpr CameraOption kCameraOptions[] = {
    {"--hfov", &CameraChoice::horizontal_fov_degrees, "Angle of a photo's width, degrees"},
    {"--height", &CameraChoice::height, "Height of the camera above the ground, metres"},
    {"--roll", &CameraChoice::roll_degrees, "Roll, degrees, clockwise from behind is positive"},
    {"--pitch", &CameraChoice::pitch_degrees, "Pitch, degrees, up is positive"},
    {"--pitch-sigma", &CameraChoice::pitch_sigma_degrees,
     "Standard deviation of the pitch, degrees"},
    {"--heading-sigma", &CameraChoice::heading_sigma_degrees,
     "Standard deviation of the heading, degrees: it is searched for about --heading"}};

/// Degrees clockwise from north, or nothing for "unknown". Throws DataError for anything else.
std::optional<double> parse_heading(const std::string& text);

}  // namespace crossfix::pipeline
