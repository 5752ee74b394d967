#include "data/robotcar.hpp"

#include <sstream>

#include "crossfix/core/error.hpp"
#include "fixtures.hpp"

using namespace crossfix;
using data::Dataset;
using data::RobotCarOptions;
using data::Split;

namespace {

Dataset read(Split split) { return data::read_robotcar({test::robotcar_fixture(), split, false}); }

std::string message_of(const RobotCarOptions& options) {
  return test::message_of<DataError>([&] { data::read_robotcar(options); });
}

}  // namespace

TEST_CASE("RobotCar's truths are those of an independent NumPy script") {
  std::ifstream file(test::data_tests() / "golden" / "robotcar_truth.txt");
  const Dataset sets[3] = {read(Split::train), read(Split::validation), read(Split::test)};
  std::string run;
  std::size_t line = 0;
  data::MapWindow window;
  double degrees = 0;
  PixelPoint reference;
  PixelPoint exact;
  std::size_t next[3] = {};
  while (file >> run >> line >> degrees >> window.row >> window.col >> reference.row >>
         reference.col >> exact.row >> exact.col) {
    CAPTURE(run, line);
    const std::size_t set = run == "training" ? 0 : run == "validation" ? 1 : 2;
    REQUIRE(next[set] < sets[set].samples.size());
    const data::Sample& sample = sets[set].samples[next[set]];
    CHECK(sample.number == next[set]++);
    CHECK(sample.line == line);
    CHECK(sets[set].groups[sample.group].label_file ==
          (test::robotcar_fixture() / "Oxford_split" / (run + ".txt")).string());
    CHECK(sample.ground.starts_with(run + "/ground/"));
    const auto& camera = std::get<data::PlanePoint>(sample.location);
    CHECK(data::MapProjection().pixel(camera.east, camera.north).row == sample.label.row);
    CHECK(sample.window.row == window.row);
    CHECK(sample.window.col == window.col);
    CHECK(sample.reference.pixel.row == reference.row);
    CHECK(sample.reference.pixel.col == reference.col);
    // The file has nine decimals, and the script fits uncentred coordinates.
    CHECK(!(std::abs(sample.true_.pixel.row - exact.row) > 1e-4));
    CHECK(!(std::abs(sample.true_.pixel.col - exact.col) > 1e-4));
    CHECK(!(std::abs(sample.rotation_degrees - degrees) > 1e-8));
    CHECK(sample.up_degrees == sample.rotation_degrees);
    CHECK(sample.inside);
  }
  CHECK(next[0] == 9);
  CHECK(next[1] == 6);
  CHECK(next[2] == 24);
}

TEST_CASE("RobotCar's frames and scales") {
  const Dataset set = read(Split::test);
  REQUIRE(set.groups.size() == 3);
  CHECK(set.groups[1].name == "test 2");
  CHECK(set.groups[1].ground_images == 8);
  for (const data::Sample& sample : set.samples) {
    CHECK(sample.true_.side == 800);
    CHECK(sample.reference.side == 512);
    CHECK(sample.reference.metres_per_pixel == 0.144375);
    // The control points span 1395 m over 15066 columns and 1595 m over 17268 rows.
    CHECK(sample.true_.metres_per_pixel == Approx(0.09246).margin(5e-5));
  }
  // Runs of 7, 8 and 9: the last batch of four of each run is dropped if it is not full.
  std::size_t dropped[3] = {};
  for (const data::Sample& sample : set.samples) {
    if (!sample.in_reference) ++dropped[sample.group];
  }
  CHECK(dropped[0] == 3);
  CHECK(dropped[1] == 0);
  CHECK(dropped[2] == 1);
  CHECK_FALSE(set.samples[6].in_reference);
  REQUIRE(set.warnings.size() == 3);
  CHECK(set.warnings[0] == set.groups[0].label_file + ": 7 samples where 1673 are published");
}

TEST_CASE("control points fall where they were set, to the fit's residual") {
  const data::MapProjection projection;
  const PixelPoint corner = projection.pixel(619400, 5736195);
  CHECK(corner.row == Approx(900).margin(0.1));
  CHECK(corner.col == Approx(900).margin(1.4));
  const PixelPoint centre = projection.pixel(620100, 5735400);
  CHECK(centre.row == Approx(9688).margin(0.4));
  CHECK(centre.col == Approx(8255).margin(0.4));
}

TEST_CASE("a map that does not hold the control points is refused") {
  for (const Shape<2> size : {Shape<2>{1500, 2000},
                              {9300, 8000},
                              {16000, 18600},
                              {18500, 16000},
                              {30000, 16000},
                              {18600, 32000}}) {
    CAPTURE(size[0], size[1]);
    CHECK_THROWS_WITH(data::check_map_size("map.png", size), Catch::Contains("map.png: "));
  }
  CHECK_NOTHROW(data::check_map_size("map.png", {18600, 16000}));
}

TEST_CASE("a test run that is absent is an error, or a warning where that is asked for") {
  const test::FixtureCopy copy(test::robotcar_fixture());
  std::filesystem::remove(copy.root() / "Oxford_split" / "test2_j.txt");
  CHECK(message_of({copy.root(), Split::test, false}).find("test2_j.txt: no such split file") !=
        std::string::npos);
  // The missing run is assumed to have its published length, which this array does not have.
  CHECK(message_of({copy.root(), Split::test, true})
            .find("test_yaw.npy: 24 yaws where its split has 1724 samples") != std::string::npos);
  for (const char* name : {"test1_j.txt", "test3_j.txt"}) {
    std::filesystem::remove(copy.root() / "Oxford_split" / name);
  }
  const Dataset none = data::read_robotcar({copy.root(), Split::test, true});
  CHECK(none.samples.empty());
  REQUIRE(none.warnings.size() == 1);
  CHECK(none.warnings[0].find("without test1_j.txt, test2_j.txt, test3_j.txt") == 0);
}

TEST_CASE("damaged RobotCar files are refused with file, line and what is expected") {
  const test::FixtureCopy copy(test::robotcar_fixture());
  const RobotCarOptions options{copy.root(), Split::validation, false};
  const std::string file = "Oxford_split/validation.txt";
  SECTION("a yaw too few") {
    std::string text = test::read_text(copy.root() / file);
    text.erase(text.find_last_of('\n', text.size() - 2) + 1);
    test::write_text(copy.root() / file, text);
    CHECK(message_of(options).find("val_yaw.npy: 6 yaws where its split has 5 samples") !=
          std::string::npos);
  }
  SECTION("a yaw that is not finite") {
    std::string text = test::read_text(copy.root() / "Oxford_split/val_yaw.npy");
    text.replace(text.size() - 8, 8, std::string("\0\0\0\0\0\0\xf8\x7f", 8));
    test::write_text(copy.root() / "Oxford_split/val_yaw.npy", text);
    CHECK(message_of(options).find("yaw 5 is not finite; radians are expected") !=
          std::string::npos);
  }
  SECTION("an image outside the root") {
    const std::string text = test::read_text(copy.root() / file);
    copy.replace(file, text.substr(0, text.find(' ')), "/etc/hostname");
    CHECK(message_of(options).starts_with((copy.root() / file).string() +
                                          ":1: '/etc/hostname' leaves the folder"));
  }
  SECTION("a yaw in degrees") {
    std::string text = test::read_text(copy.root() / "Oxford_split/val_yaw.npy");
    const double degrees = GENERATE(93.5, -180.0, 7.0);
    text.replace(text.size() - 8, 8, reinterpret_cast<const char*>(&degrees), 8);
    test::write_text(copy.root() / "Oxford_split/val_yaw.npy", text);
    CHECK(message_of(options).find("more than a whole turn; radians are expected") !=
          std::string::npos);
  }
  SECTION("a field too many") {
    copy.replace(file, "\n", " 7\n");
    CHECK(message_of(options) ==
          (copy.root() / file).string() +
              ":1: 5 fields where a line has 4: ground image, satellite image, easting, northing");
  }
  SECTION("longitude and latitude in place of metres") {
    const std::string text = test::read_text(copy.root() / file);
    const std::size_t end = text.find('\n');
    const std::size_t second = text.rfind(' ', end);
    const std::size_t first = text.rfind(' ', second - 1);
    copy.replace(file, text.substr(first, end - first), " -1.26 51.75");
    CHECK(message_of(options) == (copy.root() / file).string() +
                                     ":1: the camera lies far off the map; metres of UTM zone 30 "
                                     "are expected");
  }
  SECTION("a coordinate that does not parse") {
    copy.replace(file, "validation/ground", "x y z validation/ground");
    copy.replace(file, "x y z validation/ground", "a/ground");
    std::string text = test::read_text(copy.root() / file);
    const std::size_t end = text.find('\n');
    text.replace(text.rfind(' ', end) + 1, 3, "57e");
    test::write_text(copy.root() / file, text);
    CHECK(message_of(options).find(":1: northing is '57e") != std::string::npos);
  }
}
