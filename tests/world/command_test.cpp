#include <catch2/catch.hpp>
#include <string>

#include "cli/commands.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/io/image.hpp"
#include "temporary_folder.hpp"

namespace crossfix::cli {

namespace {

void run(const std::string& arguments) {
  CLI::App app;
  add_world_command(app);
  app.parse("world " + arguments);
}

}  // namespace

TEST_CASE("crossfix world writes what its options ask for") {
  const world::TemporaryFolder folder;
  const auto out = folder / "world";
  run("--out " + out.string() +
      " --seed 9003 --panoramas 2 --tile-size 16 --panorama-size 32x16 --threads 1 "
      "--tile-samples 1 --panorama-samples 1");
  CHECK(std::filesystem::exists(out / "world.json"));
  CHECK_THROWS_AS(run("--out " + out.string() + " --panoramas 2"), DataError);
}

TEST_CASE("A sheet shows tiles with the camera's position, and panoramas beside them") {
  const world::TemporaryFolder folder;
  const std::string small =
      " --tile-size 32 --panorama-size 64x32 --tile-samples 1 --panorama-samples 1";
  const auto picture = folder / "sheet.png";
  run("--out " + (folder / "world").string() + " --sheet " + picture.string() + " --panoramas 3" +
      small);
  const io::Image sheet = io::read_image(picture);
  CHECK(sheet.shape() == Shape<3>{256 + 6 + 256, 2 * 768 + 6, 3});
  int yellow = 0;  // the marks, only in tiles
  for (Index row = 0; row < sheet.extent(0); ++row) {
    for (Index col = 0; col < sheet.extent(1); ++col) {
      if (sheet(row, col, 0) < 240 || sheet(row, col, 1) < 220 || sheet(row, col, 2) > 70) continue;
      ++yellow;
      CHECK(col % 774 < 256);
    }
  }
  CHECK(yellow > 3 * 20);
  CHECK(sheet(400, 1000, 2) == 255);  // there is no fourth pair

  CHECK_THROWS_AS(
      run("--out " + (folder / "other").string() + " --sheet sheet.gif --panoramas 2" + small),
      CLI::ValidationError);
  CHECK_THROWS_AS(run("--out " + (folder / "other").string() + " --sheet " +
                      (folder / "none" / "sheet.png").string() + " --panoramas 2" + small),
                  DataError);
  CHECK_FALSE(std::filesystem::exists(folder / "other"));
}

TEST_CASE("crossfix world refuses options that do not fit") {
  const world::TemporaryFolder folder;
  const std::string out = "--out " + (folder / "world").string();
  const std::string wrong =
      GENERATE(as<std::string>(), " --cities 0", " --cities 1000", " --panoramas 1",
               " --cities 4 --panoramas 7", " --tile-size 4", " --tile-size many", " --seed -1",
               " --panorama-size 512", " --panorama-size 512x512", " --panorama-size 1024x512x3",
               " --panorama-size 20x10", " --threads 0", " --tile-samples 0", " --unknown");
  CAPTURE(wrong);
  CHECK_THROWS_AS(run(out + wrong), CLI::ParseError);
  CHECK_FALSE(std::filesystem::exists(folder / "world"));
}

TEST_CASE("crossfix world makes its last folder alone, and no sheet in it") {
  const world::TemporaryFolder folder;
  CHECK_THROWS_WITH(run("--panoramas 2 --out " + (folder / "typo" / "world").string()),
                    Catch::Contains("there is no folder '" + (folder / "typo").string()));
  CHECK_FALSE(std::filesystem::exists(folder / "typo"));
  CHECK_THROWS_WITH(run("--panoramas 2 --out " + (folder / "w").string() + "/ --sheet " +
                        (folder / "w" / "s.png").string()),
                    Catch::Contains("s.png' lies in --out"));
  CHECK_FALSE(std::filesystem::exists(folder / "w"));
}

TEST_CASE("crossfix world needs a folder") { CHECK_THROWS_AS(run("--seed 1"), CLI::RequiredError); }

}  // namespace crossfix::cli
