#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/core/shape.hpp"

/// What cameras are checked for before they are made.
namespace crossfix::camera {

/// Why no camera can be made of some parameters.
struct Flaw {
  std::string key = {};      ///< what it lies in, as camera files call it (docs/cameras.md)
  std::string message = {};  ///< one line: what is wrong, and what would be right
};

/// The largest width and height of a camera's image, pixels.
inline constexpr Index kMaximumSide = 65536;

/// Throws DataError where there is a flaw.
inline void refuse(const std::optional<Flaw>& flaw) {
  if (flaw) throw DataError("camera: " + flaw->message);
}

namespace detail {

/// A number as messages show it.
inline std::string shown(double value) { return general_text(value, 6); }

/// "KEY is VALUE; EXPECTED is expected".
inline Flaw flaw_of_value(const std::string& key, double value, const std::string& expected) {
  return {key, key + " is " + shown(value) + "; " + expected + " is expected"};
}

inline std::optional<Flaw> flaw_of_size(Index height, Index width) {
  for (const auto& [key, side] : {std::pair{"width", width}, {"height", height}}) {
    if (side < 1 || side > kMaximumSide) {
      return flaw_of_value(key, static_cast<double>(side),
                           "a number of pixels from 1 to " + std::to_string(kMaximumSide));
    }
  }
  return {};
}

inline std::optional<Flaw> flaw_of_focal_length(const char* key, double value) {
  if (std::isfinite(value) && value > 0) return {};
  return flaw_of_value(key, value, "a focal length in pixels above 0");
}

/// A principal point may lie outside of an image that was cut out of a larger one, yet not farther
/// than the image is long: that is a mistake in units, or the principal point of another image.
inline std::optional<Flaw> flaw_of_centre(const char* key, double value, Index side) {
  const auto length = static_cast<double>(side);
  if (value >= -length && value <= 2 * length) return {};
  return flaw_of_value(key, value,
                       "a coordinate in pixels in the image or beside it, from " + shown(-length) +
                           " to " + shown(2 * length) + ",");
}

/// Angles from `begin` up to `end`, degrees, within [lowest, highest] and at most `span` long.
inline std::optional<Flaw> flaw_of_range(const char* key, double begin, double end, double lowest,
                                         double highest, double span) {
  if (begin >= lowest && begin < end && end <= highest && end - begin <= span) return {};
  return Flaw{key, std::string(key) + " is [" + shown(begin) + ", " + shown(end) +
                       "]; two angles within [" + shown(lowest) + ", " + shown(highest) +
                       "] degrees, the lower one first, at most " + shown(span) +
                       " apart, are expected"};
}

}  // namespace detail

}  // namespace crossfix::camera
