#include "gpu_renderer.hpp"

#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "cast.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/target.hpp"

namespace crossfix::world::gpu {
namespace {

/// A stream, with memory for one image on the host and on the device.
struct Lane {
  cuda::Target target;
  cuda::DeviceBuffer image;
  cuda::PinnedBuffer copy;
};

/// The lanes of a device: as many as threads have rendered at the same time.
class Lanes {
 public:
  explicit Lanes(const cuda::Device& device) : target_(device) {}

  /// For uploads; one thread at a time.
  [[nodiscard]] const cuda::Target& target() const { return target_; }

  /// The image that `cast(stream, rgb)` renders.
  template <class Cast>
  Raster render(int height, int width, Cast&& cast) {
    Raster image = Raster::blank(height, width);
    std::unique_ptr<Lane> lane = take();
    const cuda::DeviceScope scope(target_.device());
    if (lane->image.size() < image.rgb.size()) {
      lane->image = cuda::DeviceBuffer(lane->target, image.rgb.size());
      lane->copy = cuda::PinnedBuffer(target_.device(), image.rgb.size());
    }
    cast(lane->target.stream(), reinterpret_cast<std::uint8_t*>(lane->image.data()));
    cuda::copy_to_host(lane->target, lane->copy, lane->image.data(), image.rgb.size());
    lane->target.synchronize();
    std::memcpy(image.rgb.data(), lane->copy.data(), image.rgb.size());
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
    return image;
  }

 private:
  std::unique_ptr<Lane> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Lane>(Lane{target_.sibling(), {}, {}});
    std::unique_ptr<Lane> lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }

  cuda::Target target_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> idle_;
};

/// A city in device memory.
class GpuCity final : public CityRenderer {
 public:
  GpuCity(std::shared_ptr<Lanes> lanes, const Scene& scene, const Light& aerial)
      : lanes_(std::move(lanes)), aerial_(aerial), scene_(uploaded(scene)) {
    const Shadows shadows(scene, aerial.sun_direction, aerial.date);
    tile_shadows_ = shadows.view();
    tile_shadows_.scene = scene_;
    tile_shadows_.casters = uploaded(shadows.casters());
  }

  [[nodiscard]] Raster tile(Vec2 centre, float metres, int size, int samples,
                            Vec2 lean) const override {
    return lanes_->render(size, size, [&](cuda::StreamView stream, std::uint8_t* rgb) {
      cast(stream, TileCast{tile_shadows_, aerial_, centre, metres, size, samples, lean, rgb});
    });
  }

  [[nodiscard]] Raster panorama(const Light& light, Vec3 eye, int height, int width, int samples,
                                RenderScratch&) const override {
    const ShadowView shadows = walked_shadows(scene_, light.sun_direction, light.date);
    return lanes_->render(height, width, [&](cuda::StreamView stream, std::uint8_t* rgb) {
      cast(stream, PanoramaCast{shadows, light, eye, height, width, samples, rgb});
    });
  }

 private:
  template <class T>
  const T* uploaded(std::span<const T> values) {
    buffers_.push_back(cuda::upload(lanes_->target(), values.data(), values.size_bytes()));
    return reinterpret_cast<const T*>(buffers_.back().data());
  }

  CellView uploaded(const CellIndex& cells) {
    CellView view = cells.view();
    view.first = uploaded(cells.first());
    view.items = uploaded(cells.items());
    return view;
  }

  SceneView uploaded(const Scene& scene) {
    SceneView view = scene.view();
    view.solids = uploaded(std::span(scene.solids));
    view.materials = uploaded(std::span(scene.materials));
    view.streets = uploaded(std::span(scene.streets));
    view.blocks = uploaded(std::span(scene.blocks));
    view.solid_cells = uploaded(scene.solid_cells);
    view.street_cells = uploaded(scene.street_cells);
    view.block_cells = uploaded(scene.block_cells);
    view.cell_top = uploaded(std::span(scene.cell_top));
    return view;
  }

  std::shared_ptr<Lanes> lanes_;
  std::vector<cuda::DeviceBuffer> buffers_;
  Light aerial_;
  SceneView scene_;
  ShadowView tile_shadows_;
};

}  // namespace

RayDevice ray_device(const cuda::Device& device) {
  const auto lanes = std::make_shared<Lanes>(device);
  return {"cuda", [lanes](const Scene& scene, const Light& aerial) {
            return std::make_unique<GpuCity>(lanes, scene, aerial);
          }};
}

}  // namespace crossfix::world::gpu
