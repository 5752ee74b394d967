/// Lays out a city: streets, blocks, buildings, trees, cars.
#pragma once

#include <cstdint>

#include "palette.hpp"
#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// What makes kinds of cities different: a family, or one city drawn from it.
struct CityStyle {
  const char* name = "";
  float block_min = 60.0F;  ///< distance between streets (metres)
  float block_max = 100.0F;
  float jitter = 8.0F;  ///< of the junctions (metres)
  float warp = 10.0F;   ///< amplitude of the bends of the streets (metres)
  float height_low = 5.0F;
  float height_high = 14.0F;
  float gap_high = 6.0F;  ///< between neighbouring buildings
  float setback_high = 5.0F;
  float trees = 0.5F;  ///< share of possible positions
  float flat_roofs = 0.5F;
  float missing_streets = 0.1F;
  float curve = 0.0F;      ///< how far streets bulge between junctions, at most (metres)
  float diagonals = 0.0F;  ///< share of possible streets across the lattice
  float rows = 0.2F;       ///< share of street fronts whose houses are all alike
  float traffic = 0.3F;    ///< of cars and people, 0 to 1
  Facades facades = kAllFacades;
  float odd_roofs = 0.3F;  ///< share of roofs that say nothing about their walls
};

/// Numbers of families: ordinary ones come first, then those for reserved seeds.
inline constexpr int kOrdinaryStyles = 7;
inline constexpr int kReservedStyles = 3;
const CityStyle& city_style(int number);

/// A city of a family: its measures vary by a fifth, and it uses some of the facades.
CityStyle draw_style(const CityStyle& family, Random random);

/// Builds the city of a key, with streets over [-half_side, half_side]^2 (metres). Its indices
/// cover a little more.
Scene build_city(std::uint64_t key, const CityStyle& style, float half_side);

}  // namespace crossfix::world
