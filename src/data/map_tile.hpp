/// RobotCar's tiles: windows of one large map, turned to the vehicle, as the reference makes them.
#pragma once

#include "crossfix/core/geometry.hpp"
#include "crossfix/io/image.hpp"
#include "sample.hpp"

namespace crossfix::data {

/// Pixels a side of the window, of the tile in its middle, and of the image made of the tile.
inline constexpr Index kMapWindowSide = 1200;
inline constexpr Index kMapTileSide = 800;
inline constexpr Index kMapImageSide = 512;
/// From the window's edge to the tile's.
inline constexpr Index kMapTileMargin = (kMapWindowSide - kMapTileSide) / 2;

/// `point` turned by `degrees` counter-clockwise about `centre`, rows going down.
PixelPoint turned(PixelPoint point, PixelPoint centre, double degrees);

/// Cuts `window` out of the map (black beyond its edges), turns it counter-clockwise about the
/// centre of its pixel (600, 600) with bilinear sampling, and averages the middle 800 x 800 pixels
/// to 512 x 512 by area. Each step is rounded to 8 bits.
///
/// The sampling is that of OpenCV 4's `warpAffine`: positions in 1/32 of a pixel, of terms rounded
/// to 1/1024. The average is its `INTER_AREA`.
io::Image cut_map_tile(io::ImageView map, MapWindow window, double degrees);

}  // namespace crossfix::data
