/// Controls: what a network answers when its ground images say nothing about where the camera
/// stood.
#pragma once

#include "sample.hpp"

namespace crossfix::data {

enum class Control {
  none,
  shuffled,  ///< every pair has the ground image of another panorama of its city or run
  blank,     ///< every ground image is grey (128), so only the tile is left
};

/// Gives the pairs of each ground image of a group another one. Of n distinct ground images, in
/// their order, the i-th replaces the (i + n/2)-th. Labels and tiles stay. Throws DataError for a
/// group with a single ground image.
void shuffle_grounds(Dataset& dataset);

}  // namespace crossfix::data
