#include "renderer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "materials.hpp"
#include "random.hpp"
#include "rays.hpp"

namespace crossfix::world {

namespace {

constexpr float kPi = std::numbers::pi_v<float>;
constexpr float kFar = 220.0F;  // metres a panorama sees
constexpr float kShadowStart = 0.02F;

Vec3 sky_colour(const Light& light, Vec3 d) {
  const float up = std::max(d.z, 0.0F);
  Vec3 colour = mix(light.horizon, light.zenith, std::min(1.0F, std::sqrt(up) * 1.1F));
  if (up > 0.02F && light.clouds > 0.02F) {
    const float scale = 1.0F / (up + 0.12F);
    const float u = d.x * scale * 1.6F;
    const float v = d.y * scale * 1.6F;
    const float cover = 0.6F * value_noise(u, v, light.seed) +
                        0.3F * value_noise(u * 2.3F, v * 2.3F, light.seed + 1) +
                        0.1F * value_noise(u * 5.1F, v * 5.1F, light.seed + 2);
    const float cloud = std::clamp((cover - 1.0F + light.clouds) * 3.0F, 0.0F, 1.0F);
    colour = mix(colour, Vec3{0.85F, 0.86F, 0.88F}, cloud * 0.85F);
  }
  const float glow = std::max(0.0F, dot(d, light.sun_direction));
  if (light.sun.x > 0.0F && glow > 0.97F) colour = colour + light.sun * ((glow - 0.97F) * 25.0F);
  return colour;
}

Vec3 shade(const Scene& scene, const Light& light, const SurfaceSample& surface, Vec3 point,
           Vec3 geometric, Vec3 view) {
  Vec3 lit = light.ambient * (0.62F + 0.38F * surface.normal.z);
  if (light.sun.x > 0.0F) {
    const float facing = std::min(dot(surface.normal, light.sun_direction), 1.0F);
    if (facing > 0.0F && dot(geometric, light.sun_direction) > 0.0F &&
        !in_shadow(scene, point + geometric * kShadowStart, light.sun_direction)) {
      lit = lit + light.sun * facing;
    }
  }
  Vec3 colour = surface.albedo * lit;
  if (surface.gloss > 0.0F) {
    const Vec3 mirrored = view - surface.normal * (2.0F * dot(view, surface.normal));
    const Vec3 sky = mix(light.horizon, light.zenith, std::clamp(mirrored.z, 0.0F, 1.0F));
    colour = mix(colour, sky, surface.gloss * (mirrored.z > 0.0F ? 1.0F : 0.4F));
  }
  return colour;
}

/// Linear to display: gamma 2 as in the city's palette.
std::uint8_t encode(float value) {
  static const std::array<std::uint8_t, 4097> table = [] {
    std::array<std::uint8_t, 4097> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      t[i] = static_cast<std::uint8_t>(
          std::lround(255.0 * std::sqrt(static_cast<double>(i) / 4096.0)));
    }
    return t;
  }();
  const float clamped = std::clamp(value, 0.0F, 1.0F);
  return table[static_cast<std::size_t>(clamped * 4096.0F)];
}

void store(Raster& image, int row, int column, Vec3 colour) {
  const auto at = (static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
                   static_cast<std::size_t>(column)) *
                  3;
  image.rgb[at] = encode(colour.x);
  image.rgb[at + 1] = encode(colour.y);
  image.rgb[at + 2] = encode(colour.z);
}

Raster blank(int height, int width) {
  return {height, width,
          std::vector<std::uint8_t>(static_cast<std::size_t>(height) *
                                    static_cast<std::size_t>(width) * 3)};
}

Vec3 look_down(const Scene& scene, const Light& light, Vec2 p) {
  constexpr Vec3 kDown{0.0F, 0.0F, -1.0F};
  const Vec3 start{p.x, p.y, scene.top + 1.0F};
  Hit hit;
  hit.t = start.z;
  const Solid* nearest = nullptr;
  for (const std::uint32_t i : scene.solid_cells.at(p)) {
    const Solid& solid = scene.solids[i];
    if (solid.z1 < start.z - hit.t) continue;
    const Vec2 d = p - solid.centre;
    if (solid.shape != Shape::kPrism && dot(d, d) > solid.half.x * solid.half.x) continue;
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
    return shade(scene, light, sample_ground(scene, p), {p.x, p.y, 0.0F}, {0.0F, 0.0F, 1.0F},
                 kDown);
  }
  return shade(scene, light, sample_solid(scene, *nearest, point, hit.normal), point, hit.normal,
               kDown);
}

/// A solid crossed by the vertical plane of a panorama's column.
struct Crossing {
  float t_in;
  float t_out;
  float z_low;
  float z_high;
  std::uint32_t solid;
};

/// The rays of one column: they share an azimuth, so the solids they can meet are gathered once.
class Column {
 public:
  Column(const Scene& scene, const Light& light, Vec3 eye, RenderScratch& scratch)
      : scene_(scene), light_(light), eye_(eye), scratch_(scratch) {
    scratch_.seen.resize(scene.solids.size(), 0);
  }

  void aim(Vec2 direction) {
    direction_ = direction;
    crossings_.clear();
    ++scratch_.stamp;
    const Vec2 o{eye_.x, eye_.y};
    walk_cells(scene_.solid_cells, o, direction, kFar, [&](int ix, int iy, float, float) {
      for (const std::uint32_t i : scene_.solid_cells.at(ix, iy)) {
        if (scratch_.seen[i] == scratch_.stamp) continue;
        scratch_.seen[i] = scratch_.stamp;
        const Solid& solid = scene_.solids[i];
        Crossing c{0.0F, 0.0F, solid.z0, solid.z1, i};
        if (cross_plane(solid, o, direction, kFar, c.t_in, c.t_out)) crossings_.push_back(c);
      }
      return true;
    });
    std::sort(crossings_.begin(), crossings_.end(), [](const Crossing& a, const Crossing& b) {
      return a.t_in != b.t_in ? a.t_in < b.t_in : a.solid < b.solid;
    });
  }

  /// The colour along an elevation, given by its tangent and cosine; false when it meets the sky.
  [[nodiscard]] bool look(float tangent, float cosine, Vec3& colour) const {
    const Vec3 d{direction_.x, direction_.y, tangent};
    Hit hit;
    // A ray ends on the ground, or where it has risen above everything.
    const float limit = tangent < 0.0F ? -eye_.z / tangent : (scene_.top - eye_.z) / tangent;
    hit.t = std::min(kFar, limit);
    const bool open = tangent >= 0.0F || limit >= kFar;
    const Solid* nearest = nullptr;
    for (const Crossing& c : crossings_) {
      if (c.t_in > hit.t) break;
      const float za = eye_.z + c.t_in * tangent;
      const float zb = eye_.z + c.t_out * tangent;
      if (std::min(za, zb) > c.z_high || std::max(za, zb) < c.z_low) continue;
      if (intersect(scene_.solids[c.solid], eye_, d, hit)) nearest = &scene_.solids[c.solid];
    }
    const Vec3 view = d * cosine;
    if (nearest == nullptr && open) return false;
    const Vec3 point = eye_ + d * hit.t;
    if (nearest == nullptr) {
      colour = shade(scene_, light_, sample_ground(scene_, {point.x, point.y}),
                     {point.x, point.y, 0.0F}, {0.0F, 0.0F, 1.0F}, view);
    } else {
      colour = shade(scene_, light_, sample_solid(scene_, *nearest, point, hit.normal), point,
                     hit.normal, view);
    }
    const float x = hit.t * light_.haze;
    colour = mix(colour, light_.horizon, x / (1.0F + x));
    return true;
  }

 private:
  const Scene& scene_;
  const Light& light_;
  Vec3 eye_;
  RenderScratch& scratch_;
  Vec2 direction_;
  std::vector<Crossing> crossings_;
};

}  // namespace

Raster render_tile(const Scene& scene, const Light& light, Vec2 centre, float metres, int size,
                   int samples) {
  Raster image = blank(size, size);
  const float pixel = metres / static_cast<float>(size);
  const float step = pixel / static_cast<float>(samples);
  const Vec3 gain = light.gain * (1.0F / static_cast<float>(samples * samples));
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      const float x0 = centre.x - 0.5F * metres + static_cast<float>(column) * pixel;
      const float y0 = centre.y + 0.5F * metres - static_cast<float>(row) * pixel;
      Vec3 sum;
      for (int i = 0; i < samples; ++i) {
        for (int j = 0; j < samples; ++j) {
          sum = sum + look_down(scene, light,
                                {x0 + (static_cast<float>(j) + 0.5F) * step,
                                 y0 - (static_cast<float>(i) + 0.5F) * step});
        }
      }
      store(image, row, column, sum * gain);
    }
  }
  return image;
}

Raster render_panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
                       int samples, RenderScratch& scratch) {
  Raster image = blank(height, width);
  const int rows = height * samples;
  const int columns = width * samples;
  std::vector<float> tangent(static_cast<std::size_t>(rows));
  std::vector<float> cosine(static_cast<std::size_t>(rows));
  for (int r = 0; r < rows; ++r) {
    const float elevation =
        (0.5F - (static_cast<float>(r) + 0.5F) / static_cast<float>(rows)) * kPi;
    tangent[static_cast<std::size_t>(r)] = std::tan(elevation);
    cosine[static_cast<std::size_t>(r)] = std::cos(elevation);
  }
  Column column(scene, light, eye, scratch);
  std::vector<Vec3> sums(static_cast<std::size_t>(height));
  std::vector<int> sky_rays(static_cast<std::size_t>(height));
  const float per_ray = 1.0F / static_cast<float>(samples * samples);
  for (int c = 0; c < columns; ++c) {
    const float azimuth =
        ((static_cast<float>(c) + 0.5F) / static_cast<float>(columns) - 0.5F) * 2.0F * kPi;
    column.aim({std::sin(azimuth), std::cos(azimuth)});
    for (int r = 0; r < rows; ++r) {
      const auto i = static_cast<std::size_t>(r);
      const auto pixel = static_cast<std::size_t>(r / samples);
      Vec3 colour;
      if (column.look(tangent[i], cosine[i], colour)) {
        sums[pixel] = sums[pixel] + colour;
      } else {
        ++sky_rays[pixel];
      }
    }
    if (c % samples != samples - 1) continue;
    const int pixel_column = c / samples;
    const float middle =
        ((static_cast<float>(pixel_column) + 0.5F) / static_cast<float>(width) - 0.5F) * 2.0F * kPi;
    for (int r = 0; r < height; ++r) {
      const auto pixel = static_cast<std::size_t>(r);
      if (sky_rays[pixel] > 0) {  // smooth: once for a pixel is enough
        const float elevation =
            (0.5F - (static_cast<float>(r) + 0.5F) / static_cast<float>(height)) * kPi;
        sums[pixel] = sums[pixel] + sky_colour(light, direction_of(middle, elevation)) *
                                        static_cast<float>(sky_rays[pixel]);
      }
      store(image, r, pixel_column, sums[pixel] * per_ray * light.gain);
    }
    std::fill(sums.begin(), sums.end(), Vec3{});
    std::fill(sky_rays.begin(), sky_rays.end(), 0);
  }
  return image;
}

}  // namespace crossfix::world
