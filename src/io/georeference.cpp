#include "crossfix/io/georeference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"

namespace crossfix::io {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kEarthRadius = 6378137.0;  ///< metres, WGS 84 semi-major axis
constexpr double kTilePixels = 256.0;

constexpr double radians(double degrees) { return degrees * (kPi / 180.0); }
constexpr double degrees(double radians) { return radians * (180.0 / kPi); }

/// Side of the world image, pixels.
double world_side(int zoom) { return std::ldexp(kTilePixels, zoom); }

/// Mercator's northing on the unit sphere, and its inverse. atanh(sin) and atan(sinh) lose no
/// digits near the equator; log(tan) does.
double northing(double latitude) { return std::atanh(std::sin(radians(latitude))); }
double latitude_of(double northing) { return degrees(std::atan(std::sinh(northing))); }

/// Why bounds are none of a tile, and what would be right; empty if they may be.
std::string flaw_of(const GeoBounds& b) {
  const std::array<double, 4> all{b.west, b.south, b.east, b.north};
  if (!std::all_of(all.begin(), all.end(), [](double x) { return std::isfinite(x); })) {
    return "are not finite";
  }
  if (std::any_of(all.begin(), all.end(), [](double x) { return std::abs(x) > 360; })) {
    return "are no degrees; if they are metres (EPSG:3857, UTM), convert them to degrees";
  }
  const auto beyond = [](double low, double high) {
    return std::max(std::abs(low), std::abs(high)) >= 90;
  };
  if (beyond(b.south, b.north)) {
    return beyond(b.west, b.east) ? "have a latitude that is not between -90 and 90"
                                  : "seem to have latitude and longitude swapped";
  }
  const bool around = b.west > b.east && b.east - b.west + 360 < 180;
  if (around || b.west < -180 || b.east > 180) {
    return "go across 180 degrees of longitude; cut the tile there";
  }
  const bool upside_down = !(b.south < b.north);
  if (!(b.west < b.east)) {
    return std::string("have west") + (upside_down ? " and south" : "") + " not below east" +
           (upside_down ? " and north" : "") + "; swap them";
  }
  return upside_down ? "have south not below north; swap them" : "";
}

void check_bounds(const GeoBounds& b, Index height, Index width) {
  const std::string flaw = flaw_of(b);
  if (!flaw.empty()) {
    std::string text;
    for (const double value : {b.west, b.south, b.east, b.north}) {
      text += (text.empty() ? "" : ",") + general_text(value, 10);
    }
    throw DataError("bounds " + text + " " + flaw +
                    ": west,south,east,north in degrees are expected");
  }
  if (height < 1 || width < 1) {
    throw DataError("a georeferenced tile of " + std::to_string(width) + " x " +
                    std::to_string(height) + " pixels");
  }
}

/// Where Web Mercator's square map ends, rounded up, degrees.
constexpr double kNorthernmost = 85.06;

/// A position on the map.
std::optional<GeoPoint> parse_position(std::string_view latitude, std::string_view longitude) {
  const auto lat = parse_number(latitude);
  const auto lon = parse_number(longitude);
  if (!lat || !lon || std::abs(*lat) > kNorthernmost || std::abs(*lon) > 180) return {};
  return GeoPoint{*lon, *lat};
}

/// Height and width, on the ground in metres, of a tile's pixel at the tile's centre.
std::array<double, 2> pixel_size(const GeoBounds& bounds, Index height, Index width) {
  check_bounds(bounds, height, width);
  const double south = northing(bounds.south);
  const double north = northing(bounds.north);
  const double scale = kEarthRadius * std::cos(radians(latitude_of((south + north) / 2)));
  return {scale * (north - south) / static_cast<double>(height),
          scale * radians(bounds.east - bounds.west) / static_cast<double>(width)};
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

PixelPoint world_pixel(GeoPoint position, int zoom) {
  const double side = world_side(zoom);
  return {(0.5 - northing(position.latitude) / (2 * kPi)) * side,
          (position.longitude / 360.0 + 0.5) * side};
}

GeoPoint world_position(PixelPoint pixel, int zoom) {
  const double side = world_side(zoom);
  return {(pixel.col / side - 0.5) * 360.0, latitude_of((0.5 - pixel.row / side) * 2 * kPi)};
}

double metres_per_pixel(double latitude, int zoom) {
  return 2 * kPi * kEarthRadius * std::cos(radians(latitude)) / world_side(zoom);
}

double metres_per_pixel(const GeoBounds& bounds, Index height, Index width) {
  const auto [pixel_height, pixel_width] = pixel_size(bounds, height, width);
  return std::sqrt(pixel_height * pixel_width);
}

double pixel_aspect(const GeoBounds& bounds, Index height, Index width) {
  const auto [pixel_height, pixel_width] = pixel_size(bounds, height, width);
  return pixel_height / pixel_width;
}

GeoPoint position_of(const GeoBounds& bounds, Index height, Index width, PixelPoint pixel) {
  check_bounds(bounds, height, width);
  const double south = northing(bounds.south);
  const double north = northing(bounds.north);
  const double down = pixel.row / static_cast<double>(height);
  const double right = pixel.col / static_cast<double>(width);
  return {bounds.west + right * (bounds.east - bounds.west),
          latitude_of(north - down * (north - south))};
}

bool is_square_in_degrees(const GeoBounds& bounds, Index height, Index width, double tolerance) {
  const double pixel_height = (bounds.north - bounds.south) / static_cast<double>(height);
  const double pixel_width = (bounds.east - bounds.west) / static_cast<double>(width);
  return std::abs(std::log(pixel_height / pixel_width)) <= tolerance;
}

bool would_fit_swapped(const GeoBounds& bounds, Index height, Index width, double tolerance) {
  const GeoBounds swapped{bounds.south, bounds.west, bounds.north, bounds.east};
  return flaw_of(swapped).empty() &&
         std::abs(std::log(pixel_aspect(swapped, height, width))) <= tolerance;
}

PixelPoint pixel_of(const GeoBounds& bounds, Index height, Index width, GeoPoint position) {
  check_bounds(bounds, height, width);
  const double south = northing(bounds.south);
  const double north = northing(bounds.north);
  return {(north - northing(position.latitude)) / (north - south) * static_cast<double>(height),
          (position.longitude - bounds.west) / (bounds.east - bounds.west) *
              static_cast<double>(width)};
}

GeoBounds tile_bounds(GeoPoint centre, Index height, Index width, int zoom) {
  const PixelPoint middle = world_pixel(centre, zoom);
  const double half_height = static_cast<double>(height) / 2;
  const double half_width = static_cast<double>(width) / 2;
  const GeoPoint upper_left =
      world_position({middle.row - half_height, middle.col - half_width}, zoom);
  const GeoPoint lower_right =
      world_position({middle.row + half_height, middle.col + half_width}, zoom);
  return {upper_left.longitude, lower_right.latitude, lower_right.longitude, upper_left.latitude};
}

GeoBounds parse_bounds(std::string_view text) {
  std::array<double, 4> values{};
  std::string_view rest = text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool last = i + 1 == values.size();
    const std::size_t comma = last ? rest.size() : rest.find(',');
    const auto value =
        comma == std::string_view::npos ? std::nullopt : parse_number(rest.substr(0, comma));
    if (!value) {
      throw DataError("bounds '" + std::string(text) +
                      "' are not four numbers west,south,east,north in degrees");
    }
    values[i] = *value;
    if (!last) rest.remove_prefix(comma + 1);
  }
  return checked({values[0], values[1], values[2], values[3]});
}

GeoBounds checked(const GeoBounds& bounds) {
  check_bounds(bounds, 1, 1);
  return bounds;
}

std::optional<GeoPoint> position_of_satellite_name(std::string_view name) {
  constexpr std::string_view kHead = "satellite_";
  constexpr std::string_view kTail = ".png";
  std::string_view rest = file_name(name);
  if (!rest.starts_with(kHead) || !rest.ends_with(kTail)) return {};
  rest = rest.substr(kHead.size(), rest.size() - kHead.size() - kTail.size());
  const std::size_t middle = rest.find('_');
  if (middle == std::string_view::npos) return {};
  return parse_position(rest.substr(0, middle), rest.substr(middle + 1));
}

std::optional<GeoPoint> position_of_panorama_name(std::string_view name) {
  constexpr std::string_view kTail = ",.jpg";
  std::string_view rest = file_name(name);
  if (!rest.ends_with(kTail)) return {};
  rest.remove_suffix(kTail.size());
  const std::size_t second = rest.rfind(',');
  if (second == std::string_view::npos || second == 0) return {};
  const std::size_t first = rest.rfind(',', second - 1);
  if (first == std::string_view::npos) return {};
  return parse_position(rest.substr(first + 1, second - first - 1), rest.substr(second + 1));
}

std::string satellite_name(GeoPoint centre) {
  return "satellite_" + fixed_text(centre.latitude, 10) + "_" + fixed_text(centre.longitude, 10) +
         ".png";
}

}  // namespace crossfix::io
