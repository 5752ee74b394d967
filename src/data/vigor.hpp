/// VIGOR's label files, and those of synthetic worlds, which have the same layout.
#pragma once

#include <filesystem>

#include "sample.hpp"

namespace crossfix::data {

/// Side of the tiles that labels are written for, pixels, whatever size a tile is stored at.
inline constexpr double kVigorSide = 640;

/// The reference's network image: pixels a side, and the metres it takes a pixel for.
inline constexpr double kReferenceSide = 256;
inline constexpr double kReferenceMetres = 0.285;

struct VigorOptions {
  std::filesystem::path root;
  bool world = false;  ///< a synthetic world: cities and metres are those of its world.json
  Area area = Area::same;
  Split split = Split::test;
  Pairs pairs = Pairs::positives;
  LabelSet labels = LabelSet::original;
  /// Go on without the cities that have no label file, be it all of them, with a warning. Otherwise
  /// they are an error.
  bool absent_cities = false;
};

/// Where the camera stands in the tile's frame of 640 pixels: (320 + delta_row, 320 - delta_col).
PixelPoint vigor_pixel(PixelPoint delta);

/// The same in the reference's frame of 256 pixels: 127 in place of 128, and rounded, half to even.
PixelPoint vigor_reference_pixel(PixelPoint delta);

/// Reads the pairs of a split: VIGOR's cities in its own order, lines in file order; with
/// `Split::train` those for validation too. No image is touched.
///
/// Cross-area: of VIGOR, NewYork and Seattle to train on, SanFrancisco and Chicago to test on. A
/// world is either trained on or tested on as a whole, so all its cities are for tests.
///
/// Throws DataError "FILE:LINE: what, and what is expected" for a label line without its 13 fields,
/// numbers or coordinates that do not parse, and a satellite that is not in its city's list.
Dataset read_vigor(const VigorOptions& options);

}  // namespace crossfix::data
