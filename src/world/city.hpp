/// Lays out a city: streets, blocks, buildings, trees, cars.
#pragma once

#include <cstdint>

#include "scene.hpp"

namespace crossfix::world {

/// What sets one kind of city apart from another.
struct CityStyle {
  const char* name = "";
  float block_min = 60.0F;  ///< distance between streets (metres)
  float block_max = 100.0F;
  float jitter = 8.0F;  ///< of the junctions (metres)
  float warp = 10.0F;   ///< amplitude of the streets' bends (metres)
  float height_low = 5.0F;
  float height_high = 14.0F;
  float gap_high = 6.0F;  ///< between neighbouring buildings
  float setback_high = 5.0F;
  float trees = 0.5F;  ///< share of possible places
  float flat_roofs = 0.5F;
  float missing_streets = 0.1F;
};

/// Ordinary styles, then styles kept for reserved seeds.
inline constexpr int kOrdinaryStyles = 4;
inline constexpr int kReservedStyles = 2;
const CityStyle& city_style(int number);

/// Builds the city of a key, with streets over [-half_side, half_side]^2 (metres) and its indices
/// over a little more.
Scene build_city(std::uint64_t key, const CityStyle& style, float half_side);

}  // namespace crossfix::world
