#include "world_description.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "crossfix/core/error.hpp"

namespace crossfix::data {

WorldDescription read_world_description(const std::filesystem::path& root) {
  const std::filesystem::path file = root / "world.json";
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw DataError(file.string() +
                    ": cannot be opened; `crossfix world` writes it beside a world");
  }
  WorldDescription world;
  try {
    const auto json = nlohmann::json::parse(stream);
    json.at("seed").get_to(world.seed);
    json.at("reserved").get_to(world.reserved);
    for (const auto& entry : json.at("cities")) {
      WorldCity city{entry.at("name"), entry.at("metres_per_pixel")};
      if (city.name.empty() || city.name.find('/') != std::string::npos) {
        throw DataError(file.string() + ": a city named '" + city.name + "'");
      }
      if (!(city.metres_per_pixel > 0 && std::isfinite(city.metres_per_pixel))) {
        throw DataError(file.string() + ": metres_per_pixel of " + city.name +
                        " should be a number above 0");
      }
      world.cities.push_back(std::move(city));
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file.string() + ": not what `crossfix world` writes: " + error.what());
  }
  if (world.cities.empty()) throw DataError(file.string() + ": names no city");
  return world;
}

}  // namespace crossfix::data
