#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/folder.hpp"
#include "crossfix/io/georeference.hpp"
#include "io/temporary.hpp"
#include "world/plan/plan.hpp"
#include "world/plan/random.hpp"
#include "world/plan/reserved_seeds.hpp"
#include "world/render/flaws.hpp"
#include "world/render/image_output.hpp"
#include "world/render/renderer.hpp"

namespace crossfix::world {

namespace fs = std::filesystem;

namespace {

constexpr int kGeneratorVersion = 2;
constexpr const char* kDescriptionName = "world.json";

GeoPoint position_of(const CityPlan& city, double x, double y) {
  return io::world_position({city.centre.row + y, city.centre.col + x});
}

std::string tile_name(const CityPlan& city, TileIndex tile) {
  return io::satellite_name(position_of(city, tile.x * kTileSpacing, tile.y * kTileSpacing));
}

// Ten decimals of a degree are 0.0001 pixels.
std::string panorama_name(const CityPlan& city, const PlannedPanorama& panorama) {
  const GeoPoint at = position_of(city, panorama.x, panorama.y);
  std::array<char, 17> key{};
  std::snprintf(key.data(), key.size(), "%016llx", static_cast<unsigned long long>(panorama.key));
  return std::string(key.data()) + "," + fixed_text(at.latitude, 10) + "," +
         fixed_text(at.longitude, 10) + ",.jpg";
}

std::string label_line(const CityPlan& city, const PlannedPanorama& panorama) {
  std::string line = panorama_name(city, panorama);
  for (const TileIndex& tile : panorama.tiles) {
    const double row = panorama.y - tile.y * kTileSpacing;
    const double column = panorama.x - tile.x * kTileSpacing;
    line += " " + tile_name(city, tile) + " " + fixed_text(row, 4) + " " + fixed_text(-column, 4);
  }
  return line + "\n";
}

void write_text(const fs::path& path, const std::string& text) {
  io::AtomicFile file(path);
  file.write(text);
  file.commit();
}

void write_lists(const fs::path& root, const CityPlan& city) {
  const fs::path folder = root / "splits" / city.name;
  fs::create_directories(folder);
  std::string tiles;
  for (const TileIndex& tile : city.tiles) tiles += tile_name(city, tile) + "\n";
  std::string all;
  std::string train;
  std::string test;
  for (const PlannedPanorama& panorama : city.panoramas) {
    const std::string line = label_line(city, panorama);
    all += line;
    (panorama.split == Split::kTest ? test : train) += line;
  }
  write_text(folder / "satellite_list.txt", tiles);
  write_text(folder / "pano_label_balanced.txt", all);
  write_text(folder / "same_area_balanced_train.txt", train);
  write_text(folder / "same_area_balanced_test.txt", test);
}

std::string describe(const DatasetOptions& options, const std::vector<CityPlan>& cities,
                     const RayDevice& rays) {
  nlohmann::ordered_json world;
  world["generator"] = "crossfix world";
  world["generator_version"] = kGeneratorVersion;
  world["seed"] = options.seed;
  world["reserved"] = is_reserved(options.seed);
  world["panoramas"] = options.panoramas;
  world["held_out_only"] = options.held_out_only;
  world["label_pixels"] = kTilePixels;
  world["tile_size"] = options.tile_size;
  world["panorama_size"] = {options.panorama_height, 2 * options.panorama_height};
  world["camera_height_m"] = kCameraHeight;
  world["heading_error_deg"] = kHeadingError;
  world["tilt_error_deg"] = kTiltError;
  if (rays.name != "cpu") world["rays"] = rays.name;
  for (const CityPlan& city : cities) {
    const GeoPoint centre = position_of(city, 0.0, 0.0);
    std::size_t test = 0;
    for (const PlannedPanorama& p : city.panoramas) test += p.split == Split::kTest ? 1U : 0U;
    world["cities"].push_back({{"name", city.name},
                               {"style", city.style},
                               {"latitude", centre.latitude},
                               {"longitude", centre.longitude},
                               {"metres_per_pixel", city.metres_per_pixel},
                               {"tiles", city.tiles.size()},
                               {"panoramas", city.panoramas.size()},
                               {"same_area_test", test},
                               {"blocks", city.division.side},
                               {"block_pixels", kBlockTiles * kTilePixels},
                               {"held_out_first", {city.division.held_x, city.division.held_y}},
                               {"held_out_every", 3}});
  }
  return world.dump(2) + "\n";
}

std::uint64_t image_key(const CityPlan& city, TileIndex tile) {
  return Random(city.key).child(2).child(hash_lattice(tile.x, tile.y, 0)).bits();
}

/// Renders image `number` of a city: tiles come first, then panoramas.
void render_image(const fs::path& root, const DatasetOptions& options, const CityPlan& city,
                  const CityRenderer& renderer, std::size_t number, RenderScratch& scratch) {
  const double scale = city.metres_per_pixel;
  if (number < city.tiles.size()) {
    const TileIndex tile = city.tiles[number];
    const Vec2 centre{static_cast<float>(tile.x * kTileSpacing * scale),
                      static_cast<float>(-tile.y * kTileSpacing * scale)};
    const Flaws flaws = random_flaws(image_key(city, tile));
    Raster image = renderer.tile(centre, static_cast<float>(kTilePixels * scale), options.tile_size,
                                 options.tile_samples, flaws.lean);
    add_noise(image, flaws);
    save_tile(root / city.name / "satellite" / tile_name(city, tile), image);
    return;
  }
  const PlannedPanorama& panorama = city.panoramas[number - city.tiles.size()];
  const Vec3 eye{static_cast<float>(panorama.x * scale), static_cast<float>(-panorama.y * scale),
                 kCameraHeight};
  const Light light = random_ground_light(panorama.key);
  const Flaws flaws = random_flaws(panorama.key);
  Raster image =
      turned(renderer.panorama(light, eye, options.panorama_height, 2 * options.panorama_height,
                               options.panorama_samples, scratch),
             flaws);
  add_noise(image, flaws);
  save_panorama(root / city.name / "panorama" / panorama_name(city, panorama), image,
                flaws.jpeg_quality);
}

void render_all(const fs::path& root, const DatasetOptions& options,
                const std::vector<CityPlan>& cities, const Progress& progress,
                const RayDevice& rays) {
  std::vector<std::size_t> first{0};
  std::vector<std::unique_ptr<CityRenderer>> renderers;
  for (const CityPlan& city : cities) {
    const Light light = random_aerial_light(Random(city.key).child(1).bits());
    renderers.push_back(rays.renderer(city.scene, light));
    first.push_back(first.back() + city.tiles.size() + city.panoramas.size());
  }
  const std::size_t total = first.back();
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::size_t done = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    RenderScratch scratch;
    std::size_t scratch_city = cities.size();
    try {
      for (std::size_t i = next++; i < total; i = next++) {
        const auto after = std::upper_bound(first.begin(), first.end(), i);
        const auto city = static_cast<std::size_t>(after - first.begin() - 1);
        if (city != scratch_city) scratch = {};
        scratch_city = city;
        render_image(root, options, cities[city], *renderers[city], i - first[city], scratch);
        const std::lock_guard lock(mutex);
        ++done;
        if (progress) progress(done, total);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = total;
    }
  };
  const std::size_t wanted =
      std::min<std::size_t>(options.threads > 0 ? static_cast<unsigned>(options.threads)
                                                : std::max(1U, std::thread::hardware_concurrency()),
                            total);
  std::vector<std::thread> threads;
  threads.reserve(wanted);
  try {
    for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // Limits on processes or memory: those that could be started do the work, and this one.
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

/// Keeps only the panoramas of held-out blocks, and the tiles that hold them.
void keep_held_out(CityPlan& city) {
  std::erase_if(city.panoramas,
                [](const PlannedPanorama& panorama) { return panorama.split != Split::kTest; });
  std::set<TileIndex> used;
  for (const PlannedPanorama& panorama : city.panoramas) {
    used.insert(panorama.tiles.begin(), panorama.tiles.end());
  }
  std::erase_if(city.tiles, [&](const TileIndex& tile) { return !used.contains(tile); });
}

void check(const DatasetOptions& options) {
  const auto require = [](bool good, const std::string& message) {
    if (!good) throw DataError(message);
  };
  require(!options.out.empty(), "--out must name a folder");
  require(options.cities >= 1 && options.cities <= 99, "--cities must be 1 to 99");
  require(options.panoramas >= 2 * options.cities,
          "--panoramas must be at least two for each city: one to train on, one held out");
  require(options.tile_size >= 16 && options.tile_size <= 2048,
          "--tile-size must be 16 to 2048 pixels");
  require(options.panorama_height >= 16 && options.panorama_height <= 4096,
          "--panorama-size must be 32x16 to 8192x4096");
  require(options.tile_samples >= 1 && options.tile_samples <= 16 &&
              options.panorama_samples >= 1 && options.panorama_samples <= 16,
          "samples must be 1 to 16 along each axis");
  require(options.threads >= 0 && options.threads <= 1024, "--threads must be 1 to 1024");
  if (fs::is_symlink(options.out) && !fs::exists(options.out)) {
    throw DataError(options.out.string() + " is a link to a folder that is not there");
  }
  io::check_parent(options.out);
  if (fs::exists(options.out) && !(fs::is_directory(options.out) && fs::is_empty(options.out))) {
    throw DataError(options.out.string() +
                    " exists and is not an empty folder: name a new one, or empty it first");
  }
}

/// The folder itself: absolute, without links.
fs::path target_of(const fs::path& out) {
  fs::path target = fs::weakly_canonical(fs::absolute(out));
  return target.has_filename() ? target : target.parent_path();
}

/// The folder that a data set is written into until it is complete: beside `out`, or in it if it is
/// there. What is there keeps its owner and mode, and may be where a shell stands or a disk begins.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& out)
      : out_(out),
        inside_(fs::is_directory(out)),
        path_(io::make_temporary_folder(inside_ ? out / out.filename() : out)) {
    if (path_.empty()) {
      throw fs::filesystem_error("mkdir", out, std::error_code(errno, std::generic_category()));
    }
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() { io::remove_temporary(path_); }

  const fs::path& path() const { return path_; }

  /// False, and errno says why, if what is complete cannot get its name.
  bool commit() const {
    return inside_ ? io::move_into_folder(path_, out_, kDescriptionName)
                   : io::rename_temporary(path_, out_);
  }

 private:
  fs::path out_;
  bool inside_;
  fs::path path_;
};

}  // namespace

void write_dataset(const DatasetOptions& options, const Progress& progress, const RayDevice& rays) {
  check(options);
  std::vector<CityPlan> cities;
  for (int i = 0; i < options.cities; ++i) {
    const int count =
        options.panoramas / options.cities + (i < options.panoramas % options.cities ? 1 : 0);
    cities.push_back(plan_city(options.seed, i, count));
    if (options.held_out_only) keep_held_out(cities.back());
  }
  const auto fail = [&](const std::string& why) {
    throw DataError("cannot write the data set " + options.out.string() + ": " + why);
  };
  try {
    const fs::path out = target_of(options.out);
    fs::create_directories(out.parent_path());
    const PartialFolder partial(out);
    for (const CityPlan& city : cities) {
      fs::create_directories(partial.path() / city.name / "satellite");
      fs::create_directories(partial.path() / city.name / "panorama");
      write_lists(partial.path(), city);
    }
    write_text(partial.path() / kDescriptionName, describe(options, cities, rays));
    render_all(partial.path(), options, cities, progress, rays);
    if (partial.commit()) return;
    const bool taken = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR;
    fail(taken ? "something else has been written there meanwhile" : std::strerror(errno));
  } catch (const fs::filesystem_error& error) {
    fail(error.code().message());
  }
}

}  // namespace crossfix::world
