#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "crossfix/camera/camera.hpp"
#include "heading_noise.hpp"

namespace crossfix::data {

/// What the weights are told of the tilts that views are drawn with: each one, their standard
/// deviation, or nothing.
enum class TiltTold { truth, deviation, none };

/// Tilts beyond are not of cameras that somebody holds or mounts.
inline constexpr double kLargestTilt = 45;

/// Views of another camera, drawn from panoramas in their stead (draw_view).
struct ViewChoice {
  /// The camera, and how it stands but for the draws. Empty: panoramas stay as they are.
  std::optional<camera::MountedCamera> camera;
  std::string fingerprint;  ///< of the camera's file
  double tilt_degrees = 0;  ///< standard deviation of pitch and roll about those of the mount
  TiltTold told = TiltTold::deviation;

  /// Takes the camera of a file (docs/cameras.md). Throws as io::read_camera.
  void read_camera(const std::filesystem::path& file);

  bool draws() const { return camera.has_value(); }

  /// The camera in words: "pinhole, 640 x 480 pixels, 90 degrees wide".
  std::string description() const;
};

/// How the camera of a view stands. The heading is off the mount's, or north, by the draw of the
/// noise, not rounded to columns as that of a rolled panorama is. Pitch and roll are normal about
/// the mount's with the deviation of the choice: by Box and Muller's transform of two numbers, of
/// the noise's seed and of the image's name as its label file writes it, `Sample::ground`, and of
/// nothing else. `draws` of training/crossfix_training/views.py gives the same. The standard
/// deviations are the mount's own.
camera::Mount drawn_mount(const ViewChoice& choice, const HeadingNoise& noise,
                          std::string_view ground);

/// What the weights are told of it. Standard deviations of draws that they are not told of each are
/// added to those of the camera's file. The heading of noise of 180 degrees is unknown.
camera::Mount told_mount(const ViewChoice& choice, const HeadingNoise& noise,
                         std::string_view ground);

}  // namespace crossfix::data
