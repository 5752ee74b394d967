#include "world/gpu/gpu_renderer.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "crossfix/core/error.hpp"
#include "temporary_folder.hpp"
#include "world/dataset.hpp"
#include "world/plan/plan.hpp"

namespace crossfix::world {
namespace {

/// The GPU, if there is one: the emulated one, or a real one in tests that are built for it.
std::optional<RayDevice> gpu_rays() {
  try {
    return gpu::ray_device(cuda::Device());
  } catch (const DeviceError& error) {
    std::cout << "skipped, no GPU: " << error.what() << '\n';
    return std::nullopt;
  }
}

/// The share of pixels with a channel that differs by more than one level.
double share_apart(const Raster& a, const Raster& b) {
  REQUIRE(a.rgb.size() == b.rgb.size());
  std::size_t apart = 0;
  for (std::size_t i = 0; i < a.rgb.size(); i += 3) {
    bool far = false;
    for (std::size_t k = i; k < i + 3; ++k) far = far || std::abs(a.rgb[k] - b.rgb[k]) > 1;
    apart += far ? 1U : 0U;
  }
  return static_cast<double>(apart) / (static_cast<double>(a.rgb.size()) / 3.0);
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

constexpr double kMostApart = 0.001;  // rays that graze an edge

TEST_CASE("A GPU sees what the CPU sees, in both views") {
  const std::optional<RayDevice> rays = gpu_rays();
  if (!rays) return;
  for (const std::uint64_t seed : {3U, 9500U, 9603U}) {
    const CityPlan city = plan_city(seed, 0, 6);
    const Light aerial = random_aerial_light(seed);
    const auto on_cpu = cpu_rays().renderer(city.scene, aerial);
    const auto on_gpu = rays->renderer(city.scene, aerial);
    const PlannedPanorama& planned = city.panoramas.front();
    const Vec3 eye{static_cast<float>(planned.x * city.metres_per_pixel),
                   static_cast<float>(-planned.y * city.metres_per_pixel), 2.5F};
    RenderScratch scratch;
    INFO("seed " << seed);
    for (const Vec2 lean : {Vec2{}, Vec2{0.08F, -0.06F}}) {
      const Vec2 centre{eye.x + 3.0F, eye.y - 5.0F};
      const Raster cpu = on_cpu->tile(centre, 72.0F, 67, 2, lean);
      CHECK(share_apart(cpu, on_gpu->tile(centre, 72.0F, 67, 2, lean)) <= kMostApart);
      CHECK(share_apart(cpu, Raster::blank(67, 67)) > 0.9);
    }
    for (const std::uint64_t key : {1U, 2U, 5U}) {
      const Light light = random_ground_light(key);
      const Raster cpu = on_cpu->panorama(light, eye, 50, 100, 2, scratch);
      CHECK(share_apart(cpu, on_gpu->panorama(light, eye, 50, 100, 2, scratch)) <= kMostApart);
      CHECK(share_apart(cpu, Raster::blank(50, 100)) > 0.9);
    }
  }
}

TEST_CASE("A data set of a GPU's has the labels of the CPU's, and says whose it is") {
  const std::optional<RayDevice> rays = gpu_rays();
  if (!rays) return;
  const TemporaryFolder folder;
  DatasetOptions options;
  options.panoramas = 4;
  options.tile_size = 32;
  options.panorama_height = 32;
  options.threads = 3;
  options.out = folder / "cpu";
  write_dataset(options);
  options.out = folder / "gpu";
  write_dataset(options, {}, *rays);
  CHECK(text_of(folder / "gpu" / "world.json").find("\"rays\": \"cuda\"") != std::string::npos);
  CHECK(text_of(folder / "cpu" / "world.json").find("\"rays\"") == std::string::npos);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "cpu")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto other = folder / "gpu" / std::filesystem::relative(entry.path(), folder / "cpu");
    REQUIRE(std::filesystem::exists(other));
    if (entry.path().extension() == ".txt") CHECK(text_of(entry.path()) == text_of(other));
  }
  CHECK(files > 8);
}

}  // namespace
}  // namespace crossfix::world
