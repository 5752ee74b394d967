#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crossfix/core/geometry.hpp"
#include "crossfix/core/shape.hpp"

/// Web Mercator (EPSG:3857), the projection of web map tiles. Longitude and latitude are WGS 84
/// degrees, used as if on a sphere, as the projection defines it. A world pixel is a continuous
/// (row, col) in the square image of the world at a zoom level, with a side of 256 * 2^zoom pixels.
/// (0, 0) is at 180 W and about 85.05 N; rows run south.
namespace crossfix::io {

/// The zoom level of VIGOR's satellite tiles: about 0.149 m per pixel at the equator.
inline constexpr int kVigorZoom = 20;

/// World pixel of a position; latitudes between about 85.05 S and N.
PixelPoint world_pixel(GeoPoint position, int zoom = kVigorZoom);

/// Position of a world pixel: the inverse of `world_pixel`.
GeoPoint world_position(PixelPoint pixel, int zoom = kVigorZoom);

/// Ground sampling distance, metres per pixel, at a latitude in degrees. The earth is taken as a
/// sphere with its equatorial radius, as web maps do. The error is up to 0.7 %.
double metres_per_pixel(double latitude, int zoom = kVigorZoom);

/// Ground sampling distance, metres per pixel, at the centre of a tile of height x width pixels:
/// the square root of a pixel's area. Throws DataError if the bounds enclose no area or are outside
/// the map.
double metres_per_pixel(const GeoBounds& bounds, Index height, Index width);

/// Height of a pixel of such a tile divided by its width, on the ground. Throws as above.
double pixel_aspect(const GeoBounds& bounds, Index height, Index width);

/// Whether the pixels of such a tile have sides of as many degrees of latitude as of longitude, to
/// `tolerance` of the logarithm of their ratio. Away from the equator they are not square.
bool is_square_in_degrees(const GeoBounds& bounds, Index height, Index width, double tolerance);

/// Whether the pixels of such a tile are square, to `tolerance` of the logarithm of their aspect,
/// with latitude and longitude swapped.
bool would_fit_swapped(const GeoBounds& bounds, Index height, Index width, double tolerance);

/// Position of a pixel of a north-up Web Mercator tile of height x width pixels. Throws as above.
GeoPoint position_of(const GeoBounds& bounds, Index height, Index width, PixelPoint pixel);

/// Pixel of a position in such a tile; it may be outside the tile. Throws as above.
PixelPoint pixel_of(const GeoBounds& bounds, Index height, Index width, GeoPoint position);

/// Bounds of a tile of height x width pixels around `centre`.
GeoBounds tile_bounds(GeoPoint centre, Index height, Index width, int zoom = kVigorZoom);

/// The bounds, if a tile can have them. Throws DataError that says what is wrong.
GeoBounds checked(const GeoBounds& bounds);

/// Parses "WEST,SOUTH,EAST,NORTH" in degrees. Throws DataError that says what is wrong.
GeoBounds parse_bounds(std::string_view text);

/// The centre of a tile from a VIGOR file name, `satellite_LAT_LON.png`. A folder before it is
/// ignored. Empty if the name has another form, or the position is not on the map.
std::optional<GeoPoint> position_of_satellite_name(std::string_view name);

/// The camera's position from the file name of a VIGOR panorama, `ID,LAT,LON,.jpg`.
std::optional<GeoPoint> position_of_panorama_name(std::string_view name);

/// VIGOR's name for a tile around `centre`, with 10 decimals (0.01 mm).
std::string satellite_name(GeoPoint centre);

}  // namespace crossfix::io
