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

/// What a renderer keeps between images; each thread has one.
struct RenderScratch {
  std::vector<std::uint32_t> seen;
  std::uint32_t stamp = 0;
};

/// Renders a scene from above under one light. Keeps a reference to the scene.
class TileRenderer {
 public:
  TileRenderer(const Scene& scene, const Light& light);

  /// A north-up orthographic view of side `metres` centred on `centre`, `size` pixels a side, with
  /// `samples` rays a pixel along each axis if the pixel differs from its neighbours. A point h
  /// metres high is seen h * `lean` metres from its foot, as in a photo that is not taken from
  /// exactly above; the ground stays. Any number of threads may call it.
  [[nodiscard]] Raster render(Vec2 centre, float metres, int size, int samples,
                              Vec2 lean = {}) const;

 private:
  Light light_;
  Shadows shadows_;
};

/// An equirectangular view from `eye`. The centre column looks north, columns run clockwise, and
/// the centre row is the horizon. It takes `samples` rays a pixel along each axis if the pixel
/// differs from its neighbours.
Raster render_panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
                       int samples, RenderScratch& scratch);

/// Renders the images of one city. Any number of threads may call it, each with its own scratch.
class CityRenderer {
 public:
  virtual ~CityRenderer() = default;
  /// As in TileRenderer::render and `render_panorama`.
  [[nodiscard]] virtual Raster tile(Vec2 centre, float metres, int size, int samples,
                                    Vec2 lean) const = 0;
  [[nodiscard]] virtual Raster panorama(const Light& light, Vec3 eye, int height, int width,
                                        int samples, RenderScratch& scratch) const = 0;
};

/// Where rays are followed.
struct RayDevice {
  std::string name;  ///< "cpu" or "cuda"
  /// The renderer of a city, with its tiles under the light `aerial`. It keeps a reference to the
  /// scene.
  std::function<std::unique_ptr<CityRenderer>(const Scene& scene, const Light& aerial)> renderer;
};

RayDevice cpu_rays();

}  // namespace crossfix::world
