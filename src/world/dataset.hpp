/// Writes a world as a data set in VIGOR's folder layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "world/render/renderer.hpp"

namespace crossfix::world {

struct DatasetOptions {
  std::filesystem::path out;
  std::uint64_t seed = 1;
  int cities = 1;
  int panoramas = 100;        ///< in all cities together
  int tile_size = 640;        ///< pixels a side of the stored tiles; labels stay in 640ths
  int panorama_height = 512;  ///< pixels; the width is twice that
  int tile_samples = 2;       ///< rays a pixel along each axis
  int panorama_samples = 2;   ///< rays a pixel along each axis
  int threads = 0;            ///< 0: one for each core
  /// Only the panoramas of held-out blocks and the tiles about them: the same images as the whole
  /// data set has, much sooner.
  bool held_out_only = false;
};

/// Called from one thread at a time with images done and images in all.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

/// Renders and writes a data set. The folder appears when it is complete; `options.out` must not
/// exist or be empty. The same options give the same bytes whatever the number of threads,
/// on the CPU; world.json says where a GPU cast them.
/// Throws DataError when an option is out of range or the folder cannot be written.
void write_dataset(const DatasetOptions& options, const Progress& progress = {},
                   const RayDevice& rays = cpu_rays());

}  // namespace crossfix::world
