#pragma once

#include <cstdint>
#include <string_view>

#include "crossfix/camera/mount.hpp"
#include "crossfix/io/image.hpp"

namespace crossfix::data {

/// Panoramas rolled by draws of their own, so that their centre columns no longer look north.
struct HeadingNoise {
  double degrees = 0;      ///< the most to either side: 0 none, 180 any heading
  std::uint64_t seed = 0;  ///< another one gives other draws

  bool rolls() const { return degrees > 0; }
};

/// What the centre column of a rolled panorama looks at, in columns clockwise from north: drawn
/// evenly within the degrees to either side, rounded to a whole column (halves away from zero), so
/// that rolling loses nothing. The draw is of the seed and of the image's name as its label file
/// writes it, `Sample::ground`, and of nothing else: a panorama has the same one for all its tiles,
/// and in every area, split, part and order of a data set, whoever reads it.
/// `heading_columns` of training/protocol.py gives the same.
Index heading_columns(const HeadingNoise& noise, std::string_view ground, Index width);

/// The same in degrees.
double heading_of(const HeadingNoise& noise, std::string_view ground, Index width);

/// The draw before it is rounded, degrees.
double heading_of(const HeadingNoise& noise, std::string_view ground);

/// What weights that can search for a heading are told of it: unknown with noise of 180 degrees,
/// else north with the standard deviation of an even draw.
camera::Heading told_heading(const HeadingNoise& noise);

/// Rolls a panorama whose centre looks north, so that it looks `columns` clockwise from there.
void roll(io::Image& panorama, Index columns);

}  // namespace crossfix::data
