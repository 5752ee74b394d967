#include "materials.hpp"
#include "renderer.hpp"
#include "shading.hpp"

namespace crossfix::world {

namespace {

// The longest pixel (metres) whose centre alone tells whether a pixel holds more than one colour:
// longer ones could step over a painted line.
constexpr float kProbe = 0.125F;

Vec3 look_down(const Scene& scene, const Light& light, const Shadows& shadows, Vec2 p) {
  constexpr Vec3 kDown{0.0F, 0.0F, -1.0F};
  const Vec3 start{p.x, p.y, scene.top + 1.0F};
  Hit hit;
  hit.t = start.z;
  const Solid* nearest = nullptr;
  for (const std::uint32_t i : scene.solid_cells.at(p)) {
    const Solid& solid = scene.solids[i];
    if (solid.z1 < start.z - hit.t) continue;
    const Vec2 d = p - solid.centre;
    if (dot(d, d) > solid.radius * solid.radius) continue;
    if (solid.shape == Shape::kPrism) {
      const Vec2 local = solid.to_local(p);
      if (std::abs(local.x) > solid.half.x || std::abs(local.y) > solid.half.y) continue;
    } else if (dot(d, d) > solid.half.x * solid.half.x) {
      continue;
    }
    if (solid.shape == Shape::kCylinder) {
      hit.t = start.z - solid.z1;
      hit.normal = {0.0F, 0.0F, 1.0F};
      nearest = &solid;
    } else if (intersect(solid, start, kDown, hit)) {
      nearest = &solid;
    }
  }
  const Vec3 point{p.x, p.y, start.z - hit.t};
  if (nearest == nullptr) {
    return shade(shadows, light, sample_ground(scene, p), {p.x, p.y, 0.0F}, {0.0F, 0.0F, 1.0F},
                 kDown);
  }
  return shade(shadows, light, sample_solid(scene, *nearest, point, hit.normal), point, hit.normal,
               kDown);
}

}  // namespace

TileRenderer::TileRenderer(const Scene& scene, const Light& light)
    : scene_(scene), light_(light), shadows_(scene, light.sun_direction, Shadows::Search::kIndex) {}

Raster TileRenderer::render(Vec2 centre, float metres, int size, int samples) const {
  Raster image = Raster::blank(size, size);
  const float pixel = metres / static_cast<float>(size);
  const auto render_pixel = [&](int row, int column, int rays) {
    const float step = pixel / static_cast<float>(rays);
    const float x0 = centre.x - 0.5F * metres + static_cast<float>(column) * pixel;
    const float y0 = centre.y + 0.5F * metres - static_cast<float>(row) * pixel;
    Vec3 sum;
    for (int i = 0; i < rays; ++i) {
      for (int j = 0; j < rays; ++j) {
        sum = sum + look_down(scene_, light_, shadows_,
                              {x0 + (static_cast<float>(j) + 0.5F) * step,
                               y0 - (static_cast<float>(i) + 0.5F) * step});
      }
    }
    image.set(row, column, sum * (light_.gain * (1.0F / static_cast<float>(rays * rays))));
  };
  const bool probe = samples > 1 && pixel <= kProbe;
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) render_pixel(row, column, probe ? 1 : samples);
  }
  if (!probe) return image;
  const std::vector<bool> contrast = find_contrast(image, false);
  std::size_t i = 0;
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column, ++i) {
      if (contrast[i]) render_pixel(row, column, samples);
    }
  }
  return image;
}

}  // namespace crossfix::world
