/// Writes a world as a data set in the folder layout of VIGOR.
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
  int panoramas = 100;  ///< in all cities together
  int tile_size = 640;  ///< pixels a side of the stored tiles; labels are always for tiles of 640
  int panorama_height = 512;  ///< pixels; the width is twice that
  int tile_samples = 2;       ///< rays a pixel along each axis
  int panorama_samples = 2;   ///< rays a pixel along each axis
  int threads = 0;            ///< 0: one for each core
  /// Only the panoramas of held-out blocks and the tiles around them. The images are those of the
  /// whole data set, in much less time.
  bool held_out_only = false;
};

/// Called from one thread at a time, with the images done and the images in all.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

/// Renders and writes a data set. The folder appears when it is complete; `options.out` must not
/// exist or must be empty. On the CPU the same options give the same bytes for any number of
/// threads; world.json says if a GPU cast the rays. Throws DataError if an option is out of range
/// or the folder cannot be written.
void write_dataset(const DatasetOptions& options, const Progress& progress = {},
                   const RayDevice& rays = cpu_rays());

}  // namespace crossfix::world
