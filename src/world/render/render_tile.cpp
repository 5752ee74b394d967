#include "look.hpp"
#include "renderer.hpp"

namespace crossfix::world {

namespace {

// The longest pixel (metres) whose centre alone shows whether it holds more than one colour. Longer
// ones could miss a painted line.
constexpr float kProbe = 0.125F;

}  // namespace

TileRenderer::TileRenderer(const Scene& scene, const Light& light)
    : light_(light), shadows_(scene, light.sun_direction, light.date) {}

Raster TileRenderer::render(Vec2 centre, float metres, int size, int samples, Vec2 lean) const {
  Raster image = Raster::blank(size, size);
  const ShadowView shadows = shadows_.view();
  const auto render_pixel = [&](int row, int column, int rays) {
    image.set(row, column,
              tile_pixel(shadows, light_, centre, metres, size, row, column, rays, lean));
  };
  const bool probe = samples > 1 && metres / static_cast<float>(size) <= kProbe;
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
