#include "world_description.hpp"

#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "io/file_text.hpp"
#include "io/strict_json.hpp"

namespace crossfix::data {

namespace {

/// A description of 99 cities has 50 KB.
constexpr std::size_t kMaximumFileBytes = std::size_t{1} << 20;

/// The world holds cities, which hold lists.
constexpr int kDeepest = 8;

/// Bounds on the scale of a tile: a pixel is neither thinner than paper nor as large as a town.
constexpr double kFinest = 1e-4;
constexpr double kCoarsest = 1000;

/// A city is a folder below the root.
bool is_folder_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string("/\0", 2)) == std::string::npos;
}

}  // namespace

WorldDescription read_world_description(const std::filesystem::path& root) {
  const std::filesystem::path file = root / "world.json";
  const std::string text =
      io::read_text(file, "what `crossfix world` writes beside a world", kMaximumFileBytes);
  const auto refuse = [&](const char* why) {
    throw DataError(file.string() + ": not what `crossfix world` writes: " + why);
  };
  WorldDescription world;
  try {
    const io::Json json = io::parse_strict("it", text, kDeepest);
    if (!json.at("seed").is_number_unsigned()) refuse("its seed is no whole number from 0");
    json.at("seed").get_to(world.seed);
    json.at("reserved").get_to(world.reserved);
    for (const auto& entry : json.at("cities")) {
      WorldCity city{entry.at("name"), entry.at("metres_per_pixel")};
      if (!is_folder_name(city.name)) {
        throw DataError(file.string() + ": a city named " + io::shown(city.name) +
                        "; the name of a folder is expected");
      }
      if (!(city.metres_per_pixel >= kFinest && city.metres_per_pixel <= kCoarsest)) {
        throw DataError(file.string() + ": metres_per_pixel of " + city.name +
                        " should be a number from " + general_text(kFinest, 6) + " to " +
                        general_text(kCoarsest, 6));
      }
      world.cities.push_back(std::move(city));
    }
  } catch (const WeightsError& error) {  // the parser's
    refuse(error.what());
  } catch (const io::Json::exception& error) {
    refuse(error.what());
  }
  if (world.cities.empty()) throw DataError(file.string() + ": names no city");
  return world;
}

}  // namespace crossfix::data
