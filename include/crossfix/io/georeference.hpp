#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crossfix/core/geometry.hpp"
#include "crossfix/core/shape.hpp"

/// Web Mercator (EPSG:3857): the projection of web map tiles. Longitude, latitude are WGS 84
/// degrees, taken as if on a sphere, as the projection defines it. A world pixel is a continuous
/// (row, col) in the square image of the world at a zoom, 256 * 2^zoom pixels a side: (0, 0) lies
/// at 180 W and about 85.05 N, rows run south.
namespace crossfix::io {

/// The zoom of VIGOR's satellite tiles: about 0.149 m a pixel at the equator.
inline constexpr int kVigorZoom = 20;

/// World pixel of a position; latitudes between about 85.05 S and N.
PixelPoint world_pixel(GeoPoint position, int zoom = kVigorZoom);

/// Position of a world pixel: the inverse of `world_pixel`.
GeoPoint world_position(PixelPoint pixel, int zoom = kVigorZoom);

/// Ground sampling distance, metres per pixel, at a latitude in degrees. It takes the earth for a
/// sphere of its equatorial radius, as web maps do, which is up to 0.7 % off.
double metres_per_pixel(double latitude, int zoom = kVigorZoom);

/// Ground sampling distance of a tile of height x width pixels at its centre, metres: the square
/// root of a pixel's area. Throws DataError for bounds that enclose no area or leave the map.
double metres_per_pixel(const GeoBounds& bounds, Index height, Index width);

/// The height of a pixel of such a tile over its width, on the ground. Throws as above.
double pixel_aspect(const GeoBounds& bounds, Index height, Index width);

/// Position of a pixel of a north-up Web Mercator tile of height x width pixels. Throws as above.
GeoPoint position_of(const GeoBounds& bounds, Index height, Index width, PixelPoint pixel);

/// Pixel of a position in such a tile; it may lie outside. Throws as above.
PixelPoint pixel_of(const GeoBounds& bounds, Index height, Index width, GeoPoint position);

/// The bounds of a tile of height x width pixels about its centre.
GeoBounds tile_bounds(GeoPoint centre, Index height, Index width, int zoom = kVigorZoom);

/// "WEST,SOUTH,EAST,NORTH" in degrees. Throws DataError saying what is wrong.
GeoBounds parse_bounds(std::string_view text);

/// The centre of a tile from a VIGOR file name, `satellite_LAT_LON.png`; a folder before it is
/// passed over. Empty where the name is of another form.
std::optional<GeoPoint> position_of_satellite_name(std::string_view name);

/// The camera's position from a VIGOR panorama's file name, `ID,LAT,LON,.jpg`.
std::optional<GeoPoint> position_of_panorama_name(std::string_view name);

/// VIGOR's name for a tile about `centre`; 10 decimals, 0.01 mm.
std::string satellite_name(GeoPoint centre);

}  // namespace crossfix::io
