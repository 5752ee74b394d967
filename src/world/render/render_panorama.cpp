#include <algorithm>
#include <cmath>

#include "look.hpp"
#include "renderer.hpp"

namespace crossfix::world {

namespace {

// For images of at least this height, in pixels, the centre of a pixel alone shows whether it holds
// more than one colour.
constexpr int kProbeHeight = 512;

/// A solid crossed by the vertical plane of a panorama's column.
struct Crossing {
  float t_in;
  float t_out;
  float z_low;
  float z_high;
  std::uint32_t solid;
};

/// The rays of one column. They share an azimuth, so the solids that they can meet are gathered
/// once.
class Column {
 public:
  Column(const Scene& scene, const Light& light, Vec3 eye, RenderScratch& scratch)
      : scene_(scene.view()),
        light_(light),
        shadows_(walked_shadows(scene_, light.sun_direction, light.date)),
        eye_(eye),
        scratch_(scratch) {
    scratch_.seen.resize(scene.solids.size(), 0);
  }

  void aim(Vec2 direction) {
    direction_ = direction;
    crossings_.clear();
    ++scratch_.stamp;
    const Vec2 o{eye_.x, eye_.y};
    walk_cells(scene_.solid_cells, o, direction, kPanoramaReach, [&](int ix, int iy, float, float) {
      for (const std::uint32_t i : scene_.solid_cells.at(ix, iy)) {
        if (scratch_.seen[i] == scratch_.stamp) continue;
        scratch_.seen[i] = scratch_.stamp;
        const Solid& solid = scene_.solids[i];
        Crossing c{0.0F, 0.0F, solid.z0, solid.z1, i};
        if (!solid.is_there(light_.date)) continue;
        if (cross_plane(solid, o, direction, kPanoramaReach, c.t_in, c.t_out))
          crossings_.push_back(c);
      }
      return true;
    });
    std::sort(crossings_.begin(), crossings_.end(), [](const Crossing& a, const Crossing& b) {
      return a.t_in != b.t_in ? a.t_in < b.t_in : a.solid < b.solid;
    });
  }

  /// The colour along an elevation, given by its tangent and cosine; false if it meets the sky.
  [[nodiscard]] bool look(float tangent, float cosine, Vec3& colour) const {
    const PanoramaRay ray{eye_, direction_, tangent, cosine};
    const Vec3 d = ray.way();
    Hit hit;
    hit.t = std::min(kPanoramaReach, ray.limit(scene_.top));
    const Solid* nearest = nullptr;
    for (const Crossing& c : crossings_) {
      if (c.t_in > hit.t) break;
      const float za = eye_.z + c.t_in * tangent;
      const float zb = eye_.z + c.t_out * tangent;
      if (std::min(za, zb) > c.z_high || std::max(za, zb) < c.z_low) continue;
      if (intersect(scene_.solids[c.solid], eye_, d, hit)) nearest = &scene_.solids[c.solid];
    }
    if (nearest == nullptr && ray.open(scene_.top)) return false;
    colour = end_colour(shadows_, light_, ray, nearest, hit);
    return true;
  }

 private:
  SceneView scene_;
  const Light& light_;
  ShadowView shadows_;
  Vec3 eye_;
  RenderScratch& scratch_;
  Vec2 direction_;
  std::vector<Crossing> crossings_;
};

/// Renders a panorama column by column.
class Panorama {
 public:
  Panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
           RenderScratch& scratch)
      : light_(light),
        column_(scene, light, eye, scratch),
        image_(Raster::blank(height, width)),
        sums_(static_cast<std::size_t>(height)),
        sky_rays_(static_cast<std::size_t>(height)) {}

  /// Renders the pixels that `wanted` flags, or all if it is null, with `samples` rays along each
  /// axis.
  void render(int samples, const std::vector<bool>* wanted) {
    const int rows = image_.height * samples;
    std::vector<float> tangent(static_cast<std::size_t>(rows));
    std::vector<float> cosine(static_cast<std::size_t>(rows));
    for (int r = 0; r < rows; ++r) {
      const float elevation = row_elevation(r, rows);
      tangent[static_cast<std::size_t>(r)] = std::tan(elevation);
      cosine[static_cast<std::size_t>(r)] = std::cos(elevation);
    }
    const auto height = static_cast<std::size_t>(image_.height);
    const auto width = static_cast<std::size_t>(image_.width);
    std::vector<std::size_t> pixels;  // rows of this column to render
    for (int c = 0; c < image_.width; ++c) {
      pixels.clear();
      for (std::size_t r = 0; r < height; ++r) {
        if (wanted == nullptr || (*wanted)[r * width + static_cast<std::size_t>(c)]) {
          pixels.push_back(r);
        }
      }
      if (pixels.empty()) continue;
      for (int part = 0; part < samples; ++part) {
        const float azimuth = column_azimuth(c * samples + part, image_.width * samples);
        column_.aim({std::sin(azimuth), std::cos(azimuth)});
        for (const std::size_t pixel : pixels) {
          const std::size_t first = pixel * static_cast<std::size_t>(samples);
          for (std::size_t i = first; i < first + static_cast<std::size_t>(samples); ++i) {
            Vec3 colour;
            if (column_.look(tangent[i], cosine[i], colour)) {
              sums_[pixel] = sums_[pixel] + colour;
            } else {
              ++sky_rays_[pixel];
            }
          }
        }
      }
      for (const std::size_t pixel : pixels) finish(static_cast<int>(pixel), c, samples);
    }
  }

  [[nodiscard]] Raster& image() { return image_; }

 private:
  void finish(int row, int column, int samples) {
    const auto pixel = static_cast<std::size_t>(row);
    if (sky_rays_[pixel] > 0) {
      const Vec3 sky = sky_pixel(light_, row, column, image_.height, image_.width);
      sums_[pixel] = sums_[pixel] + sky * static_cast<float>(sky_rays_[pixel]);
    }
    const float per_ray = 1.0F / static_cast<float>(samples * samples);
    image_.set(row, column, sums_[pixel] * per_ray * light_.gain);
    sums_[pixel] = {};
    sky_rays_[pixel] = 0;
  }

  const Light& light_;
  Column column_;
  Raster image_;
  std::vector<Vec3> sums_;
  std::vector<int> sky_rays_;
};

}  // namespace

Raster render_panorama(const Scene& scene, const Light& light, Vec3 eye, int height, int width,
                       int samples, RenderScratch& scratch) {
  Panorama panorama(scene, light, eye, height, width, scratch);
  if (samples > 1 && height >= kProbeHeight) {
    panorama.render(1, nullptr);
    const std::vector<bool> contrast = find_contrast(panorama.image(), true);
    panorama.render(samples, &contrast);
  } else {
    panorama.render(samples, nullptr);
  }
  return std::move(panorama.image());
}

namespace {

class CpuCity final : public CityRenderer {
 public:
  CpuCity(const Scene& scene, const Light& aerial) : scene_(scene), from_above_(scene, aerial) {}

  [[nodiscard]] Raster tile(Vec2 centre, float metres, int size, int samples,
                            Vec2 lean) const override {
    return from_above_.render(centre, metres, size, samples, lean);
  }
  [[nodiscard]] Raster panorama(const Light& light, Vec3 eye, int height, int width, int samples,
                                RenderScratch& scratch) const override {
    return render_panorama(scene_, light, eye, height, width, samples, scratch);
  }

 private:
  const Scene& scene_;
  TileRenderer from_above_;
};

}  // namespace

RayDevice cpu_rays() {
  return {"cpu", [](const Scene& scene, const Light& aerial) {
            return std::make_unique<CpuCity>(scene, aerial);
          }};
}

}  // namespace crossfix::world
