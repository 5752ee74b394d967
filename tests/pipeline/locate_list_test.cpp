#include "pipeline/locate_list.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/image.hpp"
#include "recorder.hpp"
#include "support/model_files.hpp"

using namespace crossfix;

namespace {

/// Takes so many writes, and keeps each: what came between two flushes.
class Writes : public std::stringbuf {
 public:
  explicit Writes(std::size_t most) : most_(most) {}
  std::vector<std::string> all;

 protected:
  int sync() override {
    if (all.size() == most_) return -1;  // the disk is full
    all.push_back(str());
    str("");
    return 0;
  }

 private:
  std::size_t most_;
};

}  // namespace

TEST_CASE("each line of a list is written whole, and the first that is not ends the run",
          "[pipeline]") {
  const test::ScratchFolder folder;
  io::write_png(folder / "ground\xE9.png", test::image("ground", 32, 64));
  io::write_png(folder / "tile.png", test::image("tile", 64, 64));
  std::vector<pipeline::PairEntry> entries(6);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = {i + 2, folder / "ground\xE9.png", folder / "tile.png", {}, 0.5};
  }
  entries[1].ground = folder / "absent\xFF\xED\xA0\x80.png";
  const test::ModelFile weights;
  Localizer localizer = Localizer::load(weights.path(), {.device = Device::cpu});
  const auto ranks = ranks::start(0, nullptr);
  const auto locate = [&](Writes& writes, test::Recorder& recorder) {
    std::ostream lines(&writes);
    pipeline::locate_list(entries, {.name = "list.csv"}, localizer, *ranks, recorder, lines);
  };
  Writes enough(6);
  test::Recorder whole;
  CHECK_THROWS_WITH(locate(enough, whole), Catch::Matchers::Contains("1 of 6 pairs"));
  REQUIRE(enough.all.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(enough.all[i].find('\n') == enough.all[i].size() - 1);
    const auto line = nlohmann::json::parse(enough.all[i]);
    CHECK(line["line"] == i + 2);
    CHECK(line["ground"].get<std::string>().find("\xEF\xBF\xBD") != std::string::npos);
  }
  Writes full(2);
  test::Recorder stopped;
  CHECK_THROWS_WITH(locate(full, stopped), Catch::Matchers::Contains("standard output"));
  CHECK(stopped.done == 2);
  CHECK(full.all.size() == 2);
}

TEST_CASE("where the network gives no finite numbers, each line of a list says so", "[pipeline]") {
  const test::ScratchFolder folder;
  io::write_png(folder / "ground.png", test::image("ground", 32, 64));
  io::write_png(folder / "tile.png", test::image("tile", 64, 64));
  std::vector<pipeline::PairEntry> entries(3);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = {i + 2, folder / "ground.png", folder / "tile.png", PixelPoint{3, 4}, 0.5};
  }
  const auto configuration = test::tiny_configuration();
  test::GeneratedModel model(configuration);
  for (auto& [name, values] : model.values) {
    if (name.find(".running_") != std::string::npos) continue;
    if (name.find("extractor") == std::string::npos) continue;
    for (float& value : values) value *= 300;
  }
  model.write(folder / "w", configuration);
  Localizer localizer = Localizer::load(folder / "w", {.device = Device::cpu, .batch = 2});
  const auto ranks = ranks::start(0, nullptr);
  test::Recorder recorder;
  std::ostringstream lines;
  CHECK_THROWS_WITH(
      pipeline::locate_list(entries, {.name = "list.csv"}, localizer, *ranks, recorder, lines),
      Catch::Matchers::Contains("3 of 3 pairs could not be located"));
  std::istringstream text(lines.str());
  std::size_t count = 0;
  for (std::string line; std::getline(text, line); ++count) {
    const std::string error = nlohmann::json::parse(line).at("error");
    CHECK(error.find("backbone overflows") != std::string::npos);
  }
  CHECK(count == 3);
}

TEST_CASE("a list is located in this process, and its observer told how it goes", "[pipeline]") {
  const test::ScratchFolder folder;
  io::write_png(folder / "ground.png", test::image("ground", 32, 64));
  // Grey from column 96 on: 62.5 % of the tile shows nothing.
  io::Image tile = test::image("tile", 256, 256);
  for (Index i = 0; i < tile.size(); ++i) {
    if (i / 3 % 256 >= 96) tile.data()[i] = 128;
  }
  io::write_png(folder / "tile.png", tile);
  std::vector<pipeline::PairEntry> entries(4);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = {i + 2, folder / "ground.png", folder / "tile.png", PixelPoint{3, 4}, 0.5};
  }
  entries[1].ground = folder / "absent.png";
  const test::ModelFile weights;
  Localizer localizer = Localizer::load(weights.path(), {.device = Device::cpu, .batch = 2});
  const auto ranks = ranks::start(0, nullptr);
  test::Recorder recorder;
  std::ostringstream lines;
  CHECK_THROWS_WITH(
      pipeline::locate_list(entries, {.name = "list.csv"}, localizer, *ranks, recorder, lines),
      Catch::Matchers::Contains("list.csv: 1 of 4 pairs could not be located"));
  CHECK(recorder.begun == "pairs");
  CHECK(recorder.total == 4);
  CHECK(recorder.done == 4);
  CHECK(recorder.ended == 1);
  // Of the first pair, for all: its ground image goes not all around, and its tile is covered in
  // part and of another scale.
  REQUIRE(recorder.warnings.size() == 3);
  CHECK(recorder.warnings[0].find("ground.png is taken for a whole panorama") != std::string::npos);
  CAPTURE(recorder.warnings[1]);
  CHECK(recorder.warnings[1].find("tile.png: 63 %") != std::string::npos);
  CHECK(recorder.warnings[1].find("% of the tile shows nothing") != std::string::npos);
  CHECK(recorder.warnings[2].find("tile.png: a pixel") != std::string::npos);
  REQUIRE(recorder.notes.size() == 1);
  CHECK(recorder.notes[0].find("3 pairs with a truth") == 0);
  std::istringstream text(lines.str());
  std::vector<nlohmann::json> objects;
  for (std::string line; std::getline(text, line);) objects.push_back(nlohmann::json::parse(line));
  REQUIRE(objects.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(objects[i]["line"] == i + 2);
    CHECK(objects[i].contains("error") == (i == 1));
    CHECK(objects[i].contains("warnings") == (i != 1));
  }
  CHECK(objects[0]["pixel"] == objects[3]["pixel"]);
}
