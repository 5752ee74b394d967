#pragma once

#include <filesystem>
#include <optional>

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

  /// Throws DataError, one line, for choices that contradict each other and for a file that is no
  /// camera's.
  void check() const;

  /// For an image of height x width pixels. Throws DataError for what `check` refuses, and for a
  /// camera that such an image is not of.
  GroundInfo ground_info(Index height, Index width) const;
};

}  // namespace crossfix::pipeline
