/// Lays out a city's streets and the blocks between them.
#pragma once

#include "city.hpp"
#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Fills scene.streets and scene.blocks within [-half_side, half_side]^2 (metres): a lattice of
/// irregular spacing, turned, bent and jittered, some of its streets left out.
void lay_streets(Scene& scene, const Random& random, const CityStyle& style, float half_side);

}  // namespace crossfix::world
