/// Controls and wrong pairs: what a network answers when its ground images say nothing about where
/// the camera stood.
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

/// Appends a wrong pair (Sample::wrong) for each sample whose camera stands inside its tile: with
/// the ground image that `shuffle_grounds` would give it. Left out are those whose other camera may
/// stand in the tile too, less than the tile's diagonal from the first by their locations, and
/// those of a group with a single ground image. Their numbers go on. Returns how many there are.
std::size_t add_wrong_pairs(Dataset& dataset);

}  // namespace crossfix::data
