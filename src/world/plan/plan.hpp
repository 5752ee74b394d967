/// Chooses where a city's panoramas stand, which tiles cover them and what is held out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "crossfix/core/geometry.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Side of a tile in zoom-20 pixels, the frame of labels whatever the size of the stored image.
inline constexpr int kTilePixels = 640;
/// Tile centres stand on a lattice of this spacing.
inline constexpr int kTileSpacing = kTilePixels / 2;
/// Side of the square blocks that a city is divided into for holding out, in tiles.
inline constexpr int kBlockTiles = 4;
/// Height of the camera (metres).
inline constexpr float kCameraHeight = 2.5F;

/// A tile by its index on the lattice: centre at (320 x, 320 y) pixels from the city's centre, x to
/// the east, y to the south.
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
  std::array<TileIndex, 4> tiles;  ///< positive first, then by distance of the centre
};

/// The division of a city into blocks, every third of which along both axes is held out.
struct Division {
  int side = 3;  ///< blocks along each axis
  int held_x = 0;
  int held_y = 0;

  /// Half the city's side in zoom-20 pixels.
  [[nodiscard]] double half_pixels() const { return 0.5 * side * kBlockTiles * kTilePixels; }
  /// Where a panorama at (x, y) pixels from the centre belongs. kTest: its four tiles lie within a
  /// held-out block. kTrain: it is a tile's side or more from every held-out block along x or y, so
  /// that its tiles, which reach less than that from it, do not touch one. kNone: between, or
  /// outside the city.
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

/// Plans city `index` of a seed with `count` panoramas, `count` >= 2, a sixteenth of them (one or
/// more) held out. Throws DataError when no city is large enough.
CityPlan plan_city(std::uint64_t seed, int index, int count);

}  // namespace crossfix::world
