/// Adds things to a scene.
#pragma once

#include <cstddef>
#include <cstdint>

#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Lengths in metres; directions are unit vectors.
class SolidMaker {
 public:
  explicit SolidMaker(Scene& scene) : scene_(scene) {}

  /// The number of the material.
  std::uint32_t material(const Material& material);
  /// A box whose local x is along `axis`.
  void box(Vec2 centre, Vec2 axis, Vec2 half, float z0, float z1, std::uint32_t material);
  void cylinder(Vec2 centre, float radius, float z0, float z1, std::uint32_t material);
  /// A stem, and a crown of that radius.
  void tree(Vec2 at, float radius, Random& random);
  /// A car or a van that heads along `along` and is there on the share `presence` of all dates.
  void car(Vec2 at, Vec2 along, float presence, Random& random);
  /// A person who is there on the share `presence` of all dates.
  void person(Vec2 at, float presence, Random& random);

 private:
  /// Makes the solids from number `first` on the parts of one visitor.
  void let_visit(std::size_t first, float presence);

  Scene& scene_;
};

}  // namespace crossfix::world
