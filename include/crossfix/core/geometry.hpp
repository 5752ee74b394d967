#pragma once

namespace crossfix {

/// A point in an image, in continuous pixels. (0, 0) is the outer corner of the first pixel, whose
/// centre is (0.5, 0.5).
struct PixelPoint {
  double row = 0;
  double col = 0;
};

/// Degrees, WGS 84.
struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};

/// West, south, east and north edges of a tile, degrees, WGS 84.
struct GeoBounds {
  double west = 0;
  double south = 0;
  double east = 0;
  double north = 0;
};

}  // namespace crossfix
