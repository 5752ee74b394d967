/// Renders a scene from above and from the ground.
#pragma once

#include <cstdint>
#include <vector>

#include "materials.hpp"
#include "raster.hpp"
#include "rays.hpp"
#include "scene.hpp"

namespace crossfix::world {

/// Sun, sky, season and camera response of one image. Colours are linear RGB.
struct Light {
  Vec3 sun_direction{0.0F, 0.0F, 1.0F};  ///< unit, towards the sun
  Vec3 sun{1.0F, 1.0F, 1.0F};            ///< zero under an overcast sky
  Vec3 ambient{0.4F, 0.4F, 0.45F};       ///< on a surface that faces up
  Vec3 zenith{0.1F, 0.25F, 0.6F};
  Vec3 horizon{0.6F, 0.7F, 0.8F};
  float clouds = 0.5F;  ///< share of the sky covered
  float haze = 0.002F;  ///< extinction per metre
  Vec3 gain{1.0F, 1.0F, 1.0F};
  std::uint32_t seed = 0;
  std::uint32_t date = 0;  ///< tells which cars and people are there
  Season season;
};

/// The unit vector at an azimuth (radians clockwise from north) and elevation (radians).
Vec3 direction_of(float azimuth, float elevation);

/// The date of a panorama's key.
std::uint32_t date_of(std::uint64_t key);

/// Light of the panoramas: sun from anywhere or an overcast sky, any season, by a key.
Light random_ground_light(std::uint64_t key);
/// Light of a city's tiles: a high sun in a clear sky, by a key.
Light random_aerial_light(std::uint64_t key);

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
  const Scene& scene_;
  Light light_;
  Shadows shadows_;
};

/// An equirectangular view from `eye`: the centre column looks north, columns run clockwise, the
/// centre row is the horizon; `samples` rays a pixel along each axis where it differs from its
/// neighbours.
Raster render_panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
                       int samples, RenderScratch& scratch);

}  // namespace crossfix::world
