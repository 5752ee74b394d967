#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace crossfix::data {

struct WorldCity {
  std::string name;
  double metres_per_pixel = 0;  ///< of the 640 frame
};

/// What `world.json` says of a synthetic world.
struct WorldDescription {
  std::uint64_t seed = 0;
  bool reserved = false;  ///< kept from training
  std::vector<WorldCity> cities;
};

/// Reads `root`/world.json. Throws DataError.
WorldDescription read_world_description(const std::filesystem::path& root);

}  // namespace crossfix::data
