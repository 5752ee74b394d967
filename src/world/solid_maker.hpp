/// Adds things to a scene.
#pragma once

#include <cstdint>

#include "random.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Lengths in metres; directions are unit vectors.
class SolidMaker {
 public:
  explicit SolidMaker(Scene& scene) : scene_(scene) {}

  /// The material's number.
  std::uint32_t material(const Material& material);
  /// A box with its local x along `axis`.
  void box(Vec2 centre, Vec2 axis, Vec2 half, float z0, float z1, std::uint32_t material);
  void cylinder(Vec2 centre, float radius, float z0, float z1, std::uint32_t material);
  /// A trunk and a crown of that radius.
  void tree(Vec2 at, float radius, Random& random);
  /// A car or a van that heads along `along`.
  void car(Vec2 at, Vec2 along, Random& random);

 private:
  Scene& scene_;
};

}  // namespace crossfix::world
