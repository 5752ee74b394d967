#include "world/dataset.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "crossfix/core/error.hpp"
#include "crossfix/io/georeference.hpp"
#include "crossfix/io/image.hpp"
#include "temporary_folder.hpp"

namespace crossfix::world {

namespace fs = std::filesystem;

namespace {

DatasetOptions small(const fs::path& out) {
  DatasetOptions options;
  options.out = out;
  options.seed = 9001;
  options.cities = 2;
  options.panoramas = 5;
  options.tile_size = 40;
  options.panorama_height = 32;
  options.tile_samples = 1;
  options.panorama_samples = 1;
  options.threads = 2;
  return options;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The bytes of every file, by its path under `root`.
std::map<std::string, std::string> contents(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(root).string()] = bytes_of(entry.path());
    }
  }
  return files;
}

std::vector<std::vector<std::string>> rows(const fs::path& path) {
  std::vector<std::vector<std::string>> result;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    result.emplace_back(std::istream_iterator<std::string>(words),
                        std::istream_iterator<std::string>());
  }
  return result;
}

}  // namespace

TEST_CASE("The same seed gives the same bytes whatever the number of threads") {
  const TemporaryFolder folder;
  DatasetOptions options = small(folder / "one");
  options.threads = 1;
  write_dataset(options);
  options.out = folder / "three";
  options.threads = 3;
  write_dataset(options);
  options.out = folder / "other";
  options.seed = 9002;
  write_dataset(options);
  const auto one = contents(folder / "one");
  CHECK(one.size() > 20);
  CHECK(one == contents(folder / "three"));
  CHECK(one != contents(folder / "other"));
}

TEST_CASE("Held-out panoramas alone are those of the whole data set, to the byte") {
  const TemporaryFolder folder;
  DatasetOptions options = small(folder / "whole");
  options.panoramas = 24;
  write_dataset(options);
  options.out = folder / "held-out";
  options.held_out_only = true;
  write_dataset(options);
  const auto whole = contents(folder / "whole");
  auto held_out = contents(folder / "held-out");
  CHECK(held_out.size() < whole.size());
  held_out.erase("world.json");
  std::size_t images = 0;
  for (const auto& [name, bytes] : held_out) {
    const bool list = name.starts_with("splits") && name.find("_test") == std::string::npos;
    if (!list) {
      CAPTURE(name);
      CHECK(whole.at(name) == bytes);
    }
    images += name.ends_with("jpg") ? 1U : 0U;
  }
  CHECK(images > 0);
}

TEST_CASE("A data set has VIGOR's layout, and coordinates that agree with its labels") {
  const TemporaryFolder folder;
  const fs::path root = folder / "world";
  write_dataset(small(root));
  const auto world = nlohmann::json::parse(bytes_of(root / "world.json"));
  CHECK(world["seed"] == 9001);
  CHECK(world["reserved"] == true);
  CHECK(world["tile_size"] == 40);
  CHECK(world["label_pixels"] == 640);
  REQUIRE(world["cities"].size() == 2);
  std::size_t panoramas = 0;
  for (const auto& city : world["cities"]) {
    const std::string name = city["name"];
    const fs::path splits = root / "splits" / name;
    std::set<std::string> tiles;
    for (const auto& row : rows(splits / "satellite_list.txt")) {
      REQUIRE(row.size() == 1);
      CHECK(tiles.insert(row[0]).second);
      CHECK(fs::exists(root / name / "satellite" / row[0]));
    }
    const auto count = [](const fs::path& path) {
      return std::distance(fs::directory_iterator(path), fs::directory_iterator());
    };
    CHECK(count(root / name / "satellite") == static_cast<std::ptrdiff_t>(tiles.size()));
    const auto all = rows(splits / "pano_label_balanced.txt");
    CHECK(count(root / name / "panorama") == static_cast<std::ptrdiff_t>(all.size()));
    panoramas += all.size();
    for (const auto& row : all) {
      REQUIRE(row.size() == 13);
      const auto eye = io::position_of_panorama_name(row[0]);
      REQUIRE(eye);
      const PixelPoint at = io::world_pixel(*eye);
      double last = 0.0;
      for (std::size_t k = 1; k < 13; k += 3) {
        CHECK(tiles.count(row[k]) == 1);
        const auto centre = io::position_of_satellite_name(row[k]);
        REQUIRE(centre);
        const PixelPoint middle = io::world_pixel(*centre);
        const double delta_row = std::stod(row[k + 1]);
        const double delta_col = std::stod(row[k + 2]);
        // Truth is (320 + delta_row, 320 - delta_col), the tile's corner is middle - 320.
        CHECK(std::abs(at.row - (middle.row + delta_row)) <= 0.001);
        CHECK(std::abs(at.col - (middle.col - delta_col)) <= 0.001);
        const double limit = k == 1 ? 160.0 : 320.0;
        CHECK(std::max(std::abs(delta_row), std::abs(delta_col)) <= limit);
        CHECK(std::hypot(delta_row, delta_col) >= last);
        last = std::hypot(delta_row, delta_col);
      }
    }
    auto both = rows(splits / "same_area_balanced_train.txt");
    const auto test = rows(splits / "same_area_balanced_test.txt");
    CHECK_FALSE(both.empty());
    CHECK_FALSE(test.empty());
    both.insert(both.end(), test.begin(), test.end());
    auto sorted = all;
    std::sort(sorted.begin(), sorted.end());
    std::sort(both.begin(), both.end());
    CHECK(both == sorted);
    const io::Image tile = io::read_image(root / name / "satellite" / *tiles.begin());
    CHECK(tile.shape() == crossfix::Shape<3>{40, 40, 3});
    const io::Image panorama = io::read_image(root / name / "panorama" / all[0][0]);
    CHECK(panorama.shape() == crossfix::Shape<3>{32, 64, 3});
  }
  CHECK(panoramas == 5);
}

TEST_CASE("Labels do not depend on the size of the stored images") {
  const TemporaryFolder folder;
  DatasetOptions options = small(folder / "a");
  write_dataset(options);
  options.out = folder / "b";
  options.tile_size = 24;
  options.panorama_height = 16;
  write_dataset(options);
  CHECK(contents(folder / "a" / "splits") == contents(folder / "b" / "splits"));
}

TEST_CASE("Progress counts every image") {
  const TemporaryFolder folder;
  std::size_t calls = 0;
  std::size_t total = 0;
  write_dataset(small(folder / "world"), [&](std::size_t done, std::size_t all) {
    CHECK(done == ++calls);
    total = all;
  });
  std::size_t images = 0;
  for (const auto& [name, text] : contents(folder / "world")) {
    images += name.ends_with(".png") || name.ends_with(".jpg") ? 1U : 0U;
  }
  CHECK(calls == total);
  CHECK(images == total);
}

TEST_CASE("What cannot be written is refused, and nothing is left behind") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "full");
  std::ofstream(folder / "full" / "note.txt") << "mine";
  CHECK_THROWS_WITH(write_dataset(small(folder / "full")), Catch::Contains("not an empty folder"));
  CHECK(contents(folder / "full").size() == 1);
  std::ofstream(folder / "file") << "mine";
  CHECK_THROWS_AS(write_dataset(small(folder / "file")), DataError);
  CHECK_THROWS_AS(write_dataset(small(folder / "file" / "below")), DataError);
  CHECK_THROWS_AS(write_dataset(small("")), DataError);
  fs::create_directories(folder / "empty");
  write_dataset(small(folder / "empty"));
  CHECK(fs::exists(folder / "empty" / "world.json"));
  for (const auto& entry : fs::directory_iterator((folder / "x").parent_path())) {
    CHECK(entry.path().extension() != ".tmp");
  }
}

TEST_CASE("What lies beside a data set stays, whatever its name") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "world.partial" / "mine");
  std::ofstream(folder / "other.partial") << "mine";
  write_dataset(small(folder / "world"));
  write_dataset(small(folder / "other"));
  CHECK(fs::is_directory(folder / "world.partial" / "mine"));
  CHECK(fs::file_size(folder / "other.partial") == 4);
}

TEST_CASE("Of two runs into one folder the second fails, and the first's data set stays") {
  const TemporaryFolder folder;
  write_dataset(small(folder / "alone"));
  bool inner = false;
  const auto run = [&] {
    write_dataset(small(folder / "world"), [&](std::size_t done, std::size_t) {
      if (done != 2 || inner) return;
      inner = true;
      write_dataset(small(folder / "world"));
    });
  };
  CHECK_THROWS_WITH(run(), Catch::Contains("has been written there meanwhile"));
  CHECK(inner);
  CHECK(contents(folder / "world") == contents(folder / "alone"));
  CHECK(std::distance(fs::directory_iterator((folder / "x").parent_path()), {}) == 2);
}

TEST_CASE("An empty folder stays the one it is, and gets the data set") {
  const TemporaryFolder folder;
  const fs::path out = folder / "empty";
  fs::create_directory(out);
  fs::permissions(out, fs::perms::owner_all);
  struct stat before {};
  REQUIRE(::stat(out.c_str(), &before) == 0);
  write_dataset(small(folder / "alone"));
  write_dataset(small(out));
  struct stat after {};
  REQUIRE(::stat(out.c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);
  CHECK(after.st_mode == before.st_mode);
  CHECK(contents(out) == contents(folder / "alone"));
}

TEST_CASE("An empty folder that something comes into meanwhile keeps that alone") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "world");
  const auto run = [&] {
    write_dataset(small(folder / "world"), [&](std::size_t done, std::size_t) {
      if (done == 2) std::ofstream(folder / "world" / "note.txt") << "mine";
    });
  };
  CHECK_THROWS_WITH(run(), Catch::Contains("has been written there meanwhile"));
  CHECK(contents(folder / "world").size() == 1);
  CHECK(fs::file_size(folder / "world" / "note.txt") == 4);
}

TEST_CASE("A link to an empty folder stays, and the folder it leads to is filled") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "disk" / "empty");
  fs::create_directory_symlink(folder / "disk" / "empty", folder / "link");
  write_dataset(small(folder / "link"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::exists(folder / "disk" / "empty" / "world.json"));
  fs::create_directory_symlink(folder / "nowhere", folder / "dangling");
  CHECK_THROWS_WITH(write_dataset(small(folder / "dangling")), Catch::Contains("is a link to"));
}

TEST_CASE("A failure half-way leaves no data set") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(write_dataset(small(folder / "world"),
                                  [](std::size_t done, std::size_t) {
                                    if (done == 3) throw DataError("stop");
                                  }),
                    "stop");
  CHECK(fs::is_empty((folder / "world").parent_path()));
}

TEST_CASE("Options out of range are refused") {
  const TemporaryFolder folder;
  const auto refused = [&](auto&& change) {
    DatasetOptions options = small(folder / "world");
    change(options);
    CHECK_THROWS_AS(write_dataset(options), DataError);
    CHECK_FALSE(fs::exists(options.out));
  };
  refused([](DatasetOptions& o) { o.cities = 0; });
  refused([](DatasetOptions& o) { o.panoramas = 3; });
  refused([](DatasetOptions& o) { o.tile_size = 8; });
  refused([](DatasetOptions& o) { o.panorama_height = 1 << 20; });
  refused([](DatasetOptions& o) { o.tile_samples = 0; });
  refused([](DatasetOptions& o) { o.panorama_samples = 17; });
  refused([](DatasetOptions& o) { o.threads = -1; });
}

}  // namespace crossfix::world
