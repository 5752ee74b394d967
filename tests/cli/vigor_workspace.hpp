#pragma once

#include <filesystem>
#include <string>

#include "cli/program.hpp"
#include "data/fixtures.hpp"
#include "data/vigor.hpp"

namespace crossfix::test {

/// The VIGOR fixture with small made-up images, next to tiny weights.
struct VigorWorkspace {
  VigorWorkspace() {
    namespace fs = std::filesystem;
    fs::create_directories(root());
    fs::copy(vigor_fixture() / "splits", root() / "splits", fs::copy_options::recursive);
    data::VigorOptions options;
    options.root = root();
    options.area = data::Area::cross;
    options.pairs = data::Pairs::all;
    set = data::read_vigor(options);
    for (const data::Group& group : set.groups) {
      for (const char* view : {"panorama", "satellite"}) {
        fs::create_directories(root() / group.name / view);
      }
    }
    for (const data::Sample& sample : set.samples) {
      if (sample.choice == 0) {
        io::write_png(root() / sample.ground, image(sample.ground, 32, 64), 1);
      }
      if (!fs::exists(root() / sample.satellite)) {
        io::write_png(root() / sample.satellite, image(sample.satellite, 40, 40), 1);
      }
    }
  }

  std::filesystem::path root() const { return work.folder.path() / "vigor"; }

  /// The arguments that evaluate the fixture, followed by `more`.
  static std::string evaluate(const std::string& more) {
    return "evaluate --dataset vigor --root vigor --area cross --pairs all --threads 1 --model "
           "weights.safetensors " +
           more;
  }

  std::string read(const std::string& name) const { return read_text(work.folder / name); }

  Workspace work;
  data::Dataset set;
};

}  // namespace crossfix::test
