#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "commands.hpp"
#include "draw/picture_file.hpp"
#include "draw/world_sheet.hpp"
#include "messages.hpp"
#include "model_options.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/thread_count.hpp"
#include "progress.hpp"
#include "world/dataset.hpp"
#if defined(CROSSFIX_HAS_CUDA_BACKEND)
#include "crossfix/cuda/device.hpp"
#include "world/gpu/gpu_renderer.hpp"
#endif

namespace crossfix::cli {
namespace {

struct WorldOptions {
  world::DatasetOptions dataset;
  std::string panorama_size = "1024x512";
  std::filesystem::path sheet;
  std::string device = "cpu";
};

/// The height in "WIDTHxHEIGHT", which must be twice as wide as high.
int panorama_height(const std::string& text) {
  int width = 0;
  int height = 0;
  const char* end = text.data() + text.size();
  const auto [cross, wide] = std::from_chars(text.data(), end, width);
  if (wide == std::errc() && cross != end && *cross == 'x') {
    const auto [rest, high] = std::from_chars(cross + 1, end, height);
    if (high == std::errc() && rest == end && height >= 16 && height <= 4096 &&
        width == 2 * height) {
      return height;
    }
  }
  throw CLI::ValidationError("--panorama-size", "'" + text +
                                                    "' is not WIDTHxHEIGHT with twice as much "
                                                    "width as height, 32x16 to 8192x4096");
}

/// Where rays are followed: "cpu", "cuda", or "auto", which is CUDA if there is a GPU.
world::RayDevice rays_of(const std::string& device) {
  if (device == "cpu") return world::cpu_rays();
#if defined(CROSSFIX_HAS_CUDA_BACKEND)
  try {
    return world::gpu::ray_device(cuda::Device());
  } catch (const DeviceError&) {
    if (device == "cuda") throw;
  }
#else
  if (device == "cuda") throw DeviceError("this build has no CUDA backend; use --device cpu");
#endif
  return world::cpu_rays();
}

void make_world(WorldOptions& options) {
  options.dataset.panorama_height = panorama_height(options.panorama_size);
  if (options.dataset.panoramas < 2 * options.dataset.cities) {
    throw CLI::ValidationError("--panoramas",
                               "at least two for each city: one to train on, one held out");
  }
  options.dataset.threads = pipeline::usable_threads(
      options.dataset.threads, static_cast<int>(std::thread::hardware_concurrency()), warn);
  const world::RayDevice rays = rays_of(options.device);
  if (pipeline::is_within(options.sheet, options.dataset.out)) {
    throw CLI::ValidationError("--sheet", "'" + options.sheet.string() + "' lies in --out, '" +
                                              options.dataset.out.string() +
                                              "', which is made at the end: name a file elsewhere");
  }
  std::optional<draw::PictureFile> sheet;
  if (!options.sheet.empty()) sheet.emplace(options.sheet);
  std::optional<Progress> bar;
  std::size_t shown = 0;
  world::write_dataset(
      options.dataset,
      [&](std::size_t done, std::size_t total) {
        if (!bar) bar.emplace("images", total);
        bar->advance(done - shown);
        shown = done;
      },
      rays);
  if (sheet) sheet->write(draw::draw_world_sheet(options.dataset.out));
}

}  // namespace

void add_world_command(CLI::App& app) {
  const auto options = std::make_shared<WorldOptions>();
  world::DatasetOptions& dataset = options->dataset;
  CLI::App* command =
      app.add_subcommand("world", "Write a synthetic data set in VIGOR's folder layout");
  command->add_option("--out", dataset.out, "Folder to make; must not exist, or be empty")
      ->required();
  command->add_option("--seed", dataset.seed, "World's number; 9000 to 9999 are for tests")
      ->check(taken_by(parse_seed))
      ->capture_default_str();
  command->add_option("--cities", dataset.cities, "Cities")
      ->check(CLI::Range(1, 99))
      ->capture_default_str();
  command->add_option("--panoramas", dataset.panoramas, "Panoramas in all cities together")
      ->check(CLI::Range(2, 10'000'000))
      ->capture_default_str();
  command->add_option("--tile-size", dataset.tile_size, "Side of the stored tiles, pixels")
      ->check(CLI::Range(16, 2048))
      ->capture_default_str();
  command
      ->add_option("--panorama-size", options->panorama_size,
                   "Width x height of the stored panoramas, pixels")
      ->capture_default_str();
  command->add_option("--tile-samples", dataset.tile_samples, "Rays a tile's pixel along each axis")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command
      ->add_option("--panorama-samples", dataset.panorama_samples,
                   "Rays a panorama's pixel along each axis")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command
      ->add_option("--sheet", options->sheet,
                   "Picture to write (.png, .jpg): some of the pairs, the camera's position marked")
      ->check(taken_by(draw::picture_type));
  command->add_flag("--held-out-only", dataset.held_out_only,
                    "Only the held-out panoramas of this world, and their tiles");
  command
      ->add_option(
          "--device", options->device,
          "Follows the rays: cpu, cuda, or auto: CUDA where there is one. The same seed gives "
          "the same bytes on the CPU alone")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
  command->add_option("--threads", dataset.threads, "Threads; one for each core where absent")
      ->check(CLI::Range(1, 1024));
  command->footer(
      "Labels are in the frame of a 640-pixel tile whatever --tile-size (docs/world.md).\n"
      "Example: crossfix world --out world --seed 1 --cities 8 --panoramas 16000 --tile-size 256 "
      "--panorama-size 512x256");
  command->callback([options] { make_world(*options); });
}

}  // namespace crossfix::cli
