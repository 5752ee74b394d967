/// Chooses where a city's panoramas stand, which tiles cover them, and what is held out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "crossfix/core/geometry.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Side of a tile in zoom-20 pixels. Labels use this frame, whatever the size of the stored image.
inline constexpr int kTilePixels = 640;
/// Spacing of the lattice of tile centres.
inline constexpr int kTileSpacing = kTilePixels / 2;
/// Side, in tiles, of the square blocks that a city is divided into for holding out.
inline constexpr int kBlockTiles = 4;
/// Height of the camera (metres).
inline constexpr float kCameraHeight = 2.5F;

/// A tile by its index on the lattice: its centre is at (320 x, 320 y) pixels from the city's
/// centre, x to the east, y to the south.
struct TileIndex {
  int x = 0;
  int y = 0;
  auto operator<=>(const TileIndex&) const = default;
};

enum class Split : std::uint8_t { kNone, kTrain, kTest };

struct PlannedPanorama {
  double x = 0.0;  ///< zoom-20 pixels east of the city's centre
  double y = 0.0;  ///< zoom-20 pixels south of the city's centre
  Split split = Split::kNone;
  std::uint64_t key = 0;
  std::array<TileIndex, 4> tiles;  ///< positive first, then by distance of the tile's centre
};

/// The division of a city into blocks. Every third block along both axes is held out.
struct Division {
  int side = 3;  ///< blocks along each axis
  int held_x = 0;
  int held_y = 0;

  /// Half the side of the city in zoom-20 pixels.
  [[nodiscard]] double half_pixels() const { return 0.5 * side * kBlockTiles * kTilePixels; }
  /// The split of a panorama at (x, y) pixels from the centre. kTest: its four tiles lie within a
  /// held-out block. kTrain: it is at least a tile's side from every held-out block along x or y;
  /// its tiles reach less than that from it, so they do not touch one. kNone: between, or outside
  /// the city.
  [[nodiscard]] Split split(double x, double y) const;
};

struct CityPlan {
  std::string name;
  std::string style;
  PixelPoint centre;  ///< zoom-20 world pixels, whole numbers
  double metres_per_pixel = 0.0;
  Division division;
  Scene scene;
  std::uint64_t key = 0;
  std::vector<PlannedPanorama> panoramas;
  std::vector<TileIndex> tiles;  ///< sorted
};

/// The four tiles that contain a point, nearest centre first.
std::array<TileIndex, 4> tiles_around(double x, double y);

/// Plans city `index` of a seed with `count` panoramas, `count` >= 2, a sixteenth of them (at least
/// one) held out. Throws DataError if no city is large enough.
CityPlan plan_city(std::uint64_t seed, int index, int count);

}  // namespace crossfix::world
