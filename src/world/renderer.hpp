/// Renders a scene from above and from the ground.
#pragma once

#include <cstdint>
#include <vector>

#include "light.hpp"
#include "raster.hpp"
#include "rays.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// What a renderer keeps between images; one for each thread.
struct RenderScratch {
  std::vector<std::uint32_t> seen;
  std::uint32_t stamp = 0;
};

/// Renders a scene from above under one light. Keeps a reference to the scene.
class TileRenderer {
 public:
  TileRenderer(const Scene& scene, const Light& light);

  /// A north-up orthographic view of side `metres` centred on `centre`, `size` pixels a side,
  /// `samples` rays a pixel along each axis where it differs from its neighbours. What stands h
  /// metres high is seen h * `lean` metres from its place, as in a photo not taken from right above;
  /// the ground stays. Any number of threads may call it.
  [[nodiscard]] Raster render(Vec2 centre, float metres, int size, int samples,
                              Vec2 lean = {}) const;

 private:
  Light light_;
  Shadows shadows_;
};

/// An equirectangular view from `eye`: the centre column looks north, columns run clockwise, the
/// centre row is the horizon; `samples` rays a pixel along each axis where it differs from its
/// neighbours.
Raster render_panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
                       int samples, RenderScratch& scratch);

}  // namespace crossfix::world
