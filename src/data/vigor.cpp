#include "vigor.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/georeference.hpp"
#include "text_lines.hpp"
#include "validation.hpp"
#include "world_description.hpp"

namespace crossfix::data {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLabelFields = 1 + 3 * kTilesOfPanorama;

struct City {
  std::string name;
  double metres_per_pixel;
};

/// The published cities in their published order, with the ground sampling distance of each.
std::vector<City> vigor_cities(Area area, Split split) {
  const City new_york{"NewYork", 0.113248};
  const City seattle{"Seattle", 0.100817};
  const City san_francisco{"SanFrancisco", 0.118141};
  const City chicago{"Chicago", 0.111262};
  if (area == Area::same) return {new_york, seattle, san_francisco, chicago};
  if (split == Split::test) return {san_francisco, chicago};
  return {new_york, seattle};
}

std::string list_name(Area area, Split split) {
  if (area == Area::cross) return "pano_label_balanced";
  return split == Split::test ? "same_area_balanced_test" : "same_area_balanced_train";
}

/// Number of panoramas of a whole split, as published.
std::size_t published_count(Area area, Split split) {
  if (area == Area::same) return split == Split::test ? 52605 : 52609;
  return split == Split::test ? 53694 : 51520;
}

/// Number of panoramas of one city, as published; 0 if it is not known here.
std::size_t published_count(const City& city, Area area, Split split) {
  if (city.name != "Chicago" || area == Area::cross) return 0;
  return split == Split::test ? 12739 : 12740;
}

std::string thousands(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

void warn_about_size(const std::string& what, std::size_t count, std::size_t published,
                     Dataset& dataset) {
  if (count == published || published == 0) return;
  dataset.warnings.push_back(what + ": " + thousands(count) + " panoramas where " +
                             thousands(published) + " are published");
}

fs::path corrected_file(const fs::path& root, const std::string& city, const std::string& list) {
  return root / "splits__corrected" / city / (list + "__corrected.txt");
}

/// The label file of a city. Both label sets have the same names, so labels that are computed from
/// names can use either.
fs::path label_file(const VigorOptions& options, const std::string& city) {
  const std::string list = list_name(options.area, options.split);
  fs::path original = options.root / "splits" / city / (list + ".txt");
  fs::path corrected = corrected_file(options.root, city, list);
  if (options.labels == LabelSet::original) return original;
  if (options.labels == LabelSet::corrected) return corrected;
  return fs::exists(original) || !fs::exists(corrected) ? original : corrected;
}

/// The list of a city's tiles: next to its labels, or next to the original labels.
fs::path satellite_list(const VigorOptions& options, const std::string& city,
                        const fs::path& labels) {
  const fs::path beside = labels.parent_path() / "satellite_list.txt";
  const fs::path original = options.root / "splits" / city / "satellite_list.txt";
  return !fs::exists(beside) && fs::exists(original) ? original : beside;
}

std::unordered_set<std::string> read_satellites(const fs::path& file) {
  std::unordered_set<std::string> names;
  TextLines lines(file, "the list of a city's satellite tiles");
  while (lines.next()) {
    if (lines.fields().size() != 1) {
      lines.fail(std::to_string(lines.fields().size()) + " fields where a tile's name is expected");
    }
    names.emplace(lines.fields().front());
  }
  return names;
}

/// A camera stands in its tile or in a neighbour's, so nearer than this to the centre, pixels. The
/// bound leaves room for labels that are wrong; means over larger ones would say nothing.
constexpr double kFarthest = 10 * kVigorSide;

bool holds_camera(PixelPoint delta) {
  return std::abs(delta.row) < kVigorSide / 2 && std::abs(delta.col) < kVigorSide / 2;
}

/// Reads one label file into a data set.
class LabelReader {
 public:
  LabelReader(const VigorOptions& options, const City& city, const fs::path& file,
              std::size_t group, Dataset& dataset)
      : options_(options),
        city_(city),
        group_(group),
        satellites_(read_satellites(satellite_list(options, city.name, file))),
        lines_(file, "a VIGOR label file"),
        dataset_(dataset) {}

  /// Returns the number of panoramas read.
  std::size_t read() {
    std::size_t panoramas = 0;
    while (lines_.next()) {
      const std::size_t fields = lines_.fields().size();
      if (fields != kLabelFields) {
        lines_.fail(std::to_string(fields) +
                    " fields where a label line has 13: a panorama, and four times a satellite, "
                    "delta_row, delta_col");
      }
      // Every tile is checked, even if only some of them are wanted.
      for (int choice = 0; choice < kTilesOfPanorama; ++choice) {
        Sample sample = read_tile(choice);
        if (choice == 0 || options_.pairs == Pairs::all) {
          dataset_.samples.push_back(std::move(sample));
        }
      }
      ++panoramas;
    }
    return panoramas;
  }

  std::size_t satellites() const { return satellites_.size(); }

 private:
  Sample read_tile(int choice) {
    const std::string panorama = lines_.name(0);
    const std::size_t at = 1 + 3 * static_cast<std::size_t>(choice);
    const std::string satellite = lines_.name(at);
    if (!satellites_.contains(satellite)) {
      lines_.fail("'" + satellite + "' is not in the list of " + city_.name + "'s tiles");
    }
    PixelPoint delta{lines_.number_within(at + 1, "delta_row", kFarthest),
                     lines_.number_within(at + 2, "delta_col", kFarthest)};
    if (options_.labels == LabelSet::mercator) delta = delta_from_names(panorama, satellite);
    Sample sample;
    sample.group = group_;
    sample.line = lines_.line();
    sample.ground = city_.name + "/panorama/" + panorama;
    sample.satellite = city_.name + "/satellite/" + satellite;
    sample.choice = choice;
    sample.label = delta;
    if (const auto camera = io::position_of_panorama_name(panorama)) sample.location = *camera;
    sample.true_ = {vigor_pixel(delta), kVigorSide, city_.metres_per_pixel};
    sample.reference = {vigor_reference_pixel(delta), kReferenceSide, kReferenceMetres};
    sample.inside = holds_camera(delta);
    return sample;
  }

  PixelPoint delta_from_names(const std::string& panorama, const std::string& satellite) const {
    const auto camera = io::position_of_panorama_name(panorama);
    if (!camera) {
      lines_.fail("'" + panorama +
                  "' holds no coordinates of the map; ID,LATITUDE,LONGITUDE,.jpg is expected");
    }
    const auto centre = io::position_of_satellite_name(satellite);
    if (!centre) {
      lines_.fail("'" + satellite +
                  "' holds no coordinates of the map; satellite_LATITUDE_LONGITUDE.png is "
                  "expected");
    }
    const PixelPoint from = io::world_pixel(*centre);
    const PixelPoint to = io::world_pixel(*camera);
    const PixelPoint delta{to.row - from.row, from.col - to.col};
    if (std::abs(delta.row) <= kFarthest && std::abs(delta.col) <= kFarthest) return delta;
    lines_.fail("'" + panorama + "' and '" + satellite + "' are more than ten tiles apart");
  }

  const VigorOptions& options_;
  const City& city_;
  std::size_t group_;
  std::unordered_set<std::string> satellites_;
  TextLines lines_;
  Dataset& dataset_;
};

/// Those of the area and split, all of them.
std::vector<City> all_cities_of(const VigorOptions& options, Dataset& dataset) {
  if (!options.world) return vigor_cities(options.area, options.split);
  std::vector<City> cities;
  const WorldDescription world = read_world_description(options.root);
  if (options.area == Area::cross) {
    if (options.split != Split::test) return {};
    if (!world.reserved) {
      dataset.warnings.push_back(
          options.root.string() + ": seed " + std::to_string(world.seed) +
          " is not kept for tests, so weights may have been trained on these cities");
    }
  }
  for (const WorldCity& city : world.cities) cities.push_back({city.name, city.metres_per_pixel});
  return cities;
}

std::string names_of(const std::vector<City>& cities) {
  std::string names;
  for (const City& city : cities) names += (names.empty() ? "" : ", ") + city.name;
  return names;
}

/// Those that are wanted, in their own order.
std::vector<City> cities_of(const VigorOptions& options, Dataset& dataset) {
  std::vector<City> cities = all_cities_of(options, dataset);
  if (options.cities.empty()) return cities;
  // Where cities may be absent, so may those that only other areas and splits have.
  VigorOptions any = options;
  if (options.absent_cities) any.area = Area::same;
  Dataset ignored;
  const std::vector<City> known = all_cities_of(any, ignored);
  const auto is_among = [](const std::vector<City>& all, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const City& city) { return city.name == name; });
  };
  for (const std::string& name : options.cities) {
    if (is_among(known, name)) continue;
    throw DataError("--cities: '" + name + "' is none of the cities of this area and split: " +
                    (known.empty() ? "there are none" : names_of(known)));
  }
  std::erase_if(cities, [&](const City& city) {
    return std::find(options.cities.begin(), options.cities.end(), city.name) ==
           options.cities.end();
  });
  return cities;
}

/// Keeps only the panoramas that the reference validates on, in its order.
void keep_validation(std::size_t panoramas, Dataset& dataset) {
  if (panoramas == 0) return;
  const std::size_t tiles = dataset.samples.size() / panoramas;
  std::vector<Sample> kept;
  for (Group& group : dataset.groups) group.ground_images = 0;
  for (const std::size_t row : validation_rows(panoramas)) {
    const auto first = dataset.samples.begin() + static_cast<std::ptrdiff_t>(row * tiles);
    ++dataset.groups[first->group].ground_images;
    std::move(first, first + static_cast<std::ptrdiff_t>(tiles), std::back_inserter(kept));
  }
  dataset.samples = std::move(kept);
}

/// Numbers the samples, and marks those that the reference's loader drops.
void number_samples(std::size_t panoramas, Dataset& dataset) {
  if (panoramas == 0) return;
  const std::size_t tiles = dataset.samples.size() / panoramas;
  const std::size_t scored = panoramas / kReferenceBatch * kReferenceBatch;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    dataset.samples[i].number = i;
    dataset.samples[i].in_reference = i / tiles < scored;
  }
}

}  // namespace

PixelPoint vigor_pixel(PixelPoint delta) {
  return {kVigorSide / 2 + delta.row, kVigorSide / 2 - delta.col};
}

PixelPoint vigor_reference_pixel(PixelPoint delta) {
  constexpr double kCentre = 127;
  // The order of operations matters: it decides what counts as a half. nearbyint rounds halves to
  // even.
  return {kCentre + std::nearbyint(delta.row / kVigorSide * kReferenceSide),
          kCentre - std::nearbyint(delta.col / kVigorSide * kReferenceSide)};
}

Dataset read_vigor(const VigorOptions& options) {
  Dataset dataset;
  std::string absent;
  fs::path absent_file;
  std::size_t panoramas = 0;
  const std::vector<City> cities = cities_of(options, dataset);
  for (const City& city : cities) {
    const fs::path file = label_file(options, city.name);
    if (!fs::exists(file)) {
      if (!options.absent_cities) {
        throw DataError(file.string() + ": no such label file, so " + city.name +
                        " is missing; download it, name the cities that are there by --cities, or "
                        "check --root, --area and --labels");
      }
      absent += (absent.empty() ? "" : ", ") + city.name;
      absent_file = file;
      continue;
    }
    LabelReader reader(options, city, file, dataset.groups.size(), dataset);
    const std::size_t count = reader.read();
    panoramas += count;
    dataset.groups.push_back(
        {city.name, file.string(), count, reader.satellites(), city.metres_per_pixel});
    if (!options.world) {
      warn_about_size(file.string(), count, published_count(city, options.area, options.split),
                      dataset);
    }
  }
  if (!absent.empty()) {
    dataset.warnings.push_back("without " + absent + ": no labels such as " + absent_file.string());
  } else if (!options.world && options.cities.empty()) {
    warn_about_size(options.root.string(), panoramas, published_count(options.area, options.split),
                    dataset);
  }
  if (options.split == Split::validation) {
    keep_validation(panoramas, dataset);
    panoramas = (panoramas + 4) / 5;
  }
  number_samples(panoramas, dataset);
  return dataset;
}

}  // namespace crossfix::data
