/// Controls: what a network says when its ground images say nothing of where the camera stood.
#pragma once

#include "sample.hpp"

namespace crossfix::data {

enum class Control {
  none,
  shuffled,  ///< every pair has the ground image of another panorama of its city or run
  blank,     ///< every ground image is grey (128): what is left is the tile alone
};

/// Gives each ground image of a group the pairs of another: of n distinct ones, in their order, the
/// i-th goes where the (i + n/2)-th was. Labels and tiles stay. Throws DataError for a group that
/// has one ground image alone.
void shuffle_grounds(Dataset& dataset);

}  // namespace crossfix::data
