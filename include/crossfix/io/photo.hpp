#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "crossfix/io/image.hpp"

namespace crossfix::io {

/// What a picture's file says of it as a panorama (XMP, Photo Sphere's `GPano`). Angles in degrees.
/// What is missing, no number or out of range is left out.
struct PanoramaTags {
  /// What the centre column looks at, clockwise from north, within [0, 360).
  std::optional<double> heading = {};
  std::optional<double> pitch = {};  ///< of the camera: up is positive
  std::optional<double> roll = {};   ///< of the camera: clockwise as seen from behind is positive

  /// The part of a whole panorama, whose centre column looks forward, that the picture shows.
  struct Part {
    double azimuth_begin = -180;   ///< of the left edge
    double azimuth_end = 180;      ///< of the right edge
    double elevation_begin = -90;  ///< of the lower edge
    double elevation_end = 90;     ///< of the upper edge
  };
  std::optional<Part> part = {};  ///< empty: the whole, or not said

  std::string projection = {};          ///< as the file calls it; empty: not said
  bool has_unread_heading = false;      ///< a heading is mentioned that is no number in range
  bool has_contradictory_part = false;  ///< the sizes of the whole and of the part cannot be
};

/// An image, and what its file says of it.
struct Photo {
  Image image = {};
  PanoramaTags tags = {};
};

/// Reads both. Throws as `read_image`. Tags that cannot be read are left out.
Photo read_photo(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace crossfix::io
