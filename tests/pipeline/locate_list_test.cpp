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
  io::write_png(folder / "tile.png", test::image("tile", 64, 64));
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
  // Of the first pair, for all: its ground image goes not all around, and the scale of its tile.
  REQUIRE(recorder.warnings.size() == 2);
  CHECK(recorder.warnings[0].find("ground.png is taken for a whole panorama") != std::string::npos);
  CHECK(recorder.warnings[1].find("tile.png") != std::string::npos);
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
