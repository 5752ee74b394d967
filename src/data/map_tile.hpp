/// RobotCar's tiles: windows of one large map, turned to the vehicle, made as in the reference.
#pragma once

#include "crossfix/core/geometry.hpp"
#include "crossfix/io/image.hpp"
#include "sample.hpp"

namespace crossfix::data {

/// Sides in pixels: of the window, of the tile in its middle, and of the image made from the tile.
inline constexpr Index kMapWindowSide = 1200;
inline constexpr Index kMapTileSide = 800;
inline constexpr Index kMapImageSide = 512;
/// From the edge of the window to the edge of the tile, pixels.
inline constexpr Index kMapTileMargin = (kMapWindowSide - kMapTileSide) / 2;

/// `point` turned counter-clockwise by `degrees` about `centre`, with rows going down.
PixelPoint turned(PixelPoint point, PixelPoint centre, double degrees);

/// Cuts `window` out of the map (black beyond the edges of the map), turns it counter-clockwise
/// about the centre of its pixel (600, 600) with bilinear sampling, and averages the middle 800 x
/// 800 pixels to 512 x 512 by area. Each step is rounded to 8 bits.
///
/// The sampling is that of OpenCV 4's `warpAffine`: positions in 1/32 of a pixel, from terms
/// rounded to 1/1024. The average is that of its `INTER_AREA`.
io::Image cut_map_tile(io::ImageView map, MapWindow window, double degrees);

}  // namespace crossfix::data
