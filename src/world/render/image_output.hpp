/// Writes rendered images to files.
#pragma once

#include <filesystem>

#include "renderer.hpp"

namespace crossfix::world {

/// Writes a PNG. Throws ImageError.
void save_tile(const std::filesystem::path& path, const Raster& image);
/// Writes a JPEG with a quality of 1 to 100. Throws ImageError.
void save_panorama(const std::filesystem::path& path, const Raster& image, int quality);

}  // namespace crossfix::world
