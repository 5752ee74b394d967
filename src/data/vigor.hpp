/// VIGOR's label files, and those of synthetic worlds, which have the same layout.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sample.hpp"

namespace crossfix::data {

/// Side, in pixels, of the tiles that labels are written for, whatever size a tile is stored at.
inline constexpr double kVigorSide = 640;

/// The reference's network input: pixels a side, and the metres that it takes a pixel for.
inline constexpr double kReferenceSide = 256;
inline constexpr double kReferenceMetres = 0.285;

struct VigorOptions {
  std::filesystem::path root;
  bool world = false;  ///< a synthetic world: its world.json has cities and metres
  Area area = Area::same;
  Split split = Split::test;
  Pairs pairs = Pairs::positives;
  LabelSet labels = LabelSet::original;
  std::vector<std::string> cities = {};  ///< take these alone; empty: all
  /// Leave out the cities that have no label file, even all of them, with a warning. Otherwise they
  /// are an error.
  bool absent_cities = false;
};

/// Where the camera stands in the 640-pixel frame of the tile: (320 + delta_row, 320 - delta_col).
PixelPoint vigor_pixel(PixelPoint delta);

/// The same in the reference's 256-pixel frame: with 127 instead of 128, and rounded, half to even.
PixelPoint vigor_reference_pixel(PixelPoint delta);

/// Reads the pairs of a split: VIGOR's cities in its own order, lines in file order. `Split::train`
/// includes the pairs for validation. No image is opened.
///
/// Cross-area VIGOR trains on NewYork and Seattle, and tests on SanFrancisco and Chicago. A world
/// is either trained on or tested on as a whole, so all its cities are for tests.
///
/// Throws DataError "FILE:LINE: what, and what is expected" for a label line without its 13 fields,
/// for numbers or coordinates that do not parse or put the camera ten tiles away, for names that
/// lead out of the root, and for a satellite image that is not in the list of its city. Also for a
/// wanted city that the area and split do not have, unless cities may be absent.
Dataset read_vigor(const VigorOptions& options);

}  // namespace crossfix::data
