/// What every reader of a data set returns: pairs of a ground image and a tile, with the truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "crossfix/core/geometry.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix::data {

enum class Area { same, cross };
enum class Split { train, validation, test };
/// Which tiles of a panorama: only the one whose middle it stands in, or the three others too.
enum class Pairs { positives, all };
/// Which labels. `mercator` takes the tiles from the label files and computes where the camera
/// stands from the coordinates in the names.
enum class LabelSet { original, corrected, mercator };

/// Tiles that a VIGOR label line names.
inline constexpr int kTilesOfPanorama = 4;

/// Where the camera stands, in a frame of `side` x `side` pixels that covers the tile.
struct Truth {
  PixelPoint pixel;
  double side = 0;
  double metres_per_pixel = 0;
};

/// A point in a data set's own frame, metres.
struct PlanePoint {
  double east = 0;
  double north = 0;
};

/// Where on the ground a camera stood; empty if neither labels nor names say so.
using Location = std::variant<std::monostate, GeoPoint, PlanePoint>;

/// A 1200 x 1200 window of RobotCar's map, given by its upper left pixel. It may reach beyond the
/// map.
struct MapWindow {
  Index row = 0;
  Index col = 0;
};

/// One pair. Paths are relative to the data set's root, as its label files write them. The image
/// may be there with another extension.
struct Sample {
  std::size_t number = 0;  ///< index in the order of the data set, from 0
  std::size_t group = 0;   ///< index in Dataset::groups: its city or run
  std::size_t line = 0;    ///< in its label file, from 1
  std::string ground;
  std::string satellite;
  int choice = 0;    ///< 0: the positive tile; 1 to 3: a semi-positive
  PixelPoint label;  ///< as published: VIGOR (delta_row, delta_col), RobotCar (row, col) on the map
  Location location;  ///< of the camera: VIGOR's from the image's name, RobotCar's in UTM (zone 30)
  Truth true_;        ///< the true one: where the camera stood, pixels unrounded
  Truth reference;    ///< the one that the reference's scripts use
  bool inside = true;        ///< whether the camera stands within the tile
  bool in_reference = true;  ///< false: the reference drops it with its last, incomplete batch
  /// The ground image is of another camera, elsewhere in the city or run; all else is that of the
  /// right pair. Scored by no mode: it only shows whether weights notice.
  bool wrong = false;
  double up_degrees = 0;        ///< direction of the tile's upper edge, clockwise from north
  double rotation_degrees = 0;  ///< of `window` into the tile, counter-clockwise (RobotCar)
  MapWindow window;             ///< what the tile is cut from (RobotCar)
};

/// A city, or a run of RobotCar.
struct Group {
  std::string name;
  std::string label_file;
  std::size_t ground_images = 0;
  std::size_t satellites = 0;   ///< names in the city's list; 0 for RobotCar
  double metres_per_pixel = 0;  ///< of the tile at full size
};

struct Dataset {
  std::vector<Group> groups;
  std::vector<Sample> samples;  ///< the tiles of a panorama follow each other
  std::vector<std::string> warnings;
};

/// Batch size of the reference's loader. It drops the last batch if that is incomplete.
inline constexpr std::size_t kReferenceBatch = 4;

}  // namespace crossfix::data
