/// Renders a scene from above and from the ground.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "light.hpp"
#include "raster.hpp"
#include "rays.hpp"
#include "world/plan/scene.hpp"

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
  /// metres high is seen h * `lean` metres from its foot, as in a photo not taken from right above;
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

/// Renders the images of one city. Any number of threads may call it, each with a scratch of its
/// own.
class CityRenderer {
 public:
  virtual ~CityRenderer() = default;
  /// As TileRenderer::render and `render_panorama`.
  [[nodiscard]] virtual Raster tile(Vec2 centre, float metres, int size, int samples,
                                    Vec2 lean) const = 0;
  [[nodiscard]] virtual Raster panorama(const Light& light, Vec3 eye, int height, int width,
                                        int samples, RenderScratch& scratch) const = 0;
};

/// Where rays are followed.
struct RayDevice {
  std::string name;  ///< "cpu" or "cuda"
  /// A city's renderer, its tiles under the light `aerial`. It keeps a reference to the scene.
  std::function<std::unique_ptr<CityRenderer>(const Scene& scene, const Light& aerial)> renderer;
};

RayDevice cpu_rays();

}  // namespace crossfix::world
