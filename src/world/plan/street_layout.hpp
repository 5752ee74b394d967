/// Lays out the streets of a city, and the blocks between them.
#pragma once

#include "city.hpp"
#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Fills scene.streets and scene.blocks within [-half_side, half_side]^2 (metres): a lattice of
/// irregular spacing that is turned, bent and jittered, with some streets left out.
void lay_streets(Scene& scene, const Random& random, const CityStyle& style, float half_side);

}  // namespace crossfix::world
