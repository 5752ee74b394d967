#include "materials.hpp"
#include "renderer.hpp"
#include "shading.hpp"

namespace crossfix::world {

namespace {

// The longest pixel (metres) whose centre alone tells whether a pixel holds more than one colour:
// longer ones could step over a painted line.
constexpr float kProbe = 0.125F;

/// What is seen of the place p of the ground from above, `lean` metres aside a metre of height.
Vec3 look_down(const Scene& scene, const Light& light, const Shadows& shadows, Vec2 p, Vec2 lean) {
  const Vec3 d{lean.x, lean.y, -1.0F};
  const float high = scene.top + 1.0F;
  const Vec3 start{p.x - high * lean.x, p.y - high * lean.y, high};
  const float slant = length(lean);
  Hit hit;
  hit.t = high;
  const Solid* nearest = nullptr;
  const auto meet = [&](const Solid& solid) {
    if (solid.z1 < high - hit.t) return;
    const Vec2 off = p - lean * (0.5F * (solid.z0 + solid.z1)) - solid.centre;
    const float reach = solid.radius + 0.5F * slant * (solid.z1 - solid.z0);
    if (dot(off, off) > reach * reach || !solid.is_there(light.date)) return;
    if (intersect(solid, start, d, hit)) nearest = &solid;
  };
  walk_cells(scene.solid_cells, {start.x, start.y}, lean, high,
             [&](int ix, int iy, float t, float) {
               if (t > hit.t) return false;
               for (const std::uint32_t i : scene.solid_cells.at(ix, iy)) meet(scene.solids[i]);
               return true;
             });
  const Vec3 view = normalised(d);
  if (nearest == nullptr) {
    return shade(shadows, light, sample_ground(scene, light.season, p), {p.x, p.y, 0.0F},
                 {0.0F, 0.0F, 1.0F}, view);
  }
  const Vec3 point = start + d * hit.t;
  return shade(shadows, light, sample_solid(scene, light.season, *nearest, point, hit.normal),
               point, hit.normal, view);
}

}  // namespace

TileRenderer::TileRenderer(const Scene& scene, const Light& light)
    : scene_(scene),
      light_(light),
      shadows_(scene, light.sun_direction, Shadows::Search::kIndex, light.date) {}

Raster TileRenderer::render(Vec2 centre, float metres, int size, int samples, Vec2 lean) const {
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
                               y0 - (static_cast<float>(i) + 0.5F) * step},
                              lean);
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
