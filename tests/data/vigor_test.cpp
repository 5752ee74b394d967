#include "data/vigor.hpp"

#include <map>
#include <sstream>

#include "crossfix/core/error.hpp"
#include "crossfix/io/georeference.hpp"
#include "fixtures.hpp"

using namespace crossfix;
using data::Area;
using data::Dataset;
using data::LabelSet;
using data::Pairs;
using data::Split;
using data::VigorOptions;

namespace {

VigorOptions fixture() {
  VigorOptions options;
  options.root = test::vigor_fixture();
  return options;
}

std::string message_of(const VigorOptions& options) {
  return test::message_of<DataError>([&] { data::read_vigor(options); });
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

const std::map<std::string, double> kMetres{{"NewYork", 0.113248},
                                            {"Seattle", 0.100817},
                                            {"SanFrancisco", 0.118141},
                                            {"Chicago", 0.111262}};

}  // namespace

TEST_CASE("VIGOR's truths are those of an independent script") {
  const std::map<std::string, LabelSet> label_sets{{"original", LabelSet::original},
                                                   {"corrected", LabelSet::corrected},
                                                   {"mercator", LabelSet::mercator}};
  std::map<std::string, Dataset> sets;
  std::map<std::string, std::size_t> next;
  for (const auto& [name, labels] : label_sets) {
    for (const Split split : {Split::train, Split::test}) {
      VigorOptions options = fixture();
      options.labels = labels;
      options.split = split;
      options.pairs = Pairs::all;
      sets[name + (split == Split::train ? "train" : "test")] = data::read_vigor(options);
    }
  }
  std::ifstream file(test::data_tests() / "golden" / "vigor_truth.txt");
  std::string labels, split, city;
  std::size_t line = 0;
  int choice = 0;
  bool inside = false;
  PixelPoint exact;
  PixelPoint reference;
  std::size_t count = 0;
  while (file >> labels >> split >> city >> line >> choice >> exact.row >> exact.col >>
         reference.row >> reference.col >> inside) {
    CAPTURE(labels, split, city, line, choice);
    const Dataset& set = sets.at(labels + split);
    std::size_t& at = next[labels + split];
    REQUIRE(at < set.samples.size());
    const data::Sample& sample = set.samples[at];
    CHECK(sample.number == at++);
    CHECK(set.groups[sample.group].name == city);
    CHECK(sample.line == line);
    CHECK(sample.choice == choice);
    const auto camera = io::position_of_panorama_name(sample.ground).value();
    CHECK(std::get<GeoPoint>(sample.location).longitude == camera.longitude);
    CHECK(std::get<GeoPoint>(sample.location).latitude == camera.latitude);
    // The file has six decimals.
    CHECK(!(std::abs(sample.true_.pixel.row - exact.row) > 1e-6));
    CHECK(!(std::abs(sample.true_.pixel.col - exact.col) > 1e-6));
    CHECK(sample.true_.side == 640);
    CHECK(sample.true_.metres_per_pixel == kMetres.at(city));
    CHECK(sample.reference.pixel.row == reference.row);
    CHECK(sample.reference.pixel.col == reference.col);
    CHECK(sample.reference.side == 256);
    CHECK(sample.reference.metres_per_pixel == 0.285);
    CHECK(sample.inside == inside);
    CHECK(sample.ground.starts_with(city + "/panorama/"));
    CHECK(sample.satellite.starts_with(city + "/satellite/satellite_"));
    ++count;
  }
  CHECK(count == 3 * 4 * 11 * 4);
  for (const auto& [name, set] : sets) CHECK(next[name] == set.samples.size());
}

TEST_CASE("the reference rounds halves to even about 127") {
  // 1.25 and 3.75 labelled pixels are 0.5 and 1.5 pixels of the reference.
  const PixelPoint pixel = data::vigor_reference_pixel({1.25, 3.75});
  CHECK(pixel.row == 127);
  CHECK(pixel.col == 125);
  const PixelPoint negative = data::vigor_reference_pixel({-1.25, -3.75});
  CHECK(negative.row == 127);
  CHECK(negative.col == 129);
  CHECK(data::vigor_reference_pixel({-319.9, 319.9}).row == -1);
  CHECK(data::vigor_reference_pixel({-319.9, 319.9}).col == -1);
}

TEST_CASE("which cities and lists an area and a split mean") {
  VigorOptions options = fixture();
  const auto names = [&](Area area, Split split) {
    options.area = area;
    options.split = split;
    std::string text;
    for (const data::Group& group : data::read_vigor(options).groups) {
      text += group.name + ":" + std::to_string(group.ground_images) + " ";
    }
    return text;
  };
  CHECK(names(Area::same, Split::train) == "NewYork:6 Seattle:6 SanFrancisco:6 Chicago:6 ");
  CHECK(names(Area::same, Split::test) == "NewYork:5 Seattle:5 SanFrancisco:5 Chicago:5 ");
  CHECK(names(Area::cross, Split::train) == "NewYork:11 Seattle:11 ");
  CHECK(names(Area::cross, Split::test) == "SanFrancisco:11 Chicago:11 ");
}

TEST_CASE("the last batch of four panoramas is dropped where it is not full") {
  VigorOptions options = fixture();
  options.area = Area::cross;  // 22 panoramas: 20 are scored
  options.pairs = GENERATE(Pairs::positives, Pairs::all);
  const Dataset set = data::read_vigor(options);
  const std::size_t tiles = options.pairs == Pairs::all ? 4 : 1;
  REQUIRE(set.samples.size() == 22 * tiles);
  for (const data::Sample& sample : set.samples) {
    CHECK(sample.in_reference == (sample.number < 20 * tiles));
  }
}

TEST_CASE("validation takes panoramas of the training list in NumPy's order") {
  VigorOptions options = fixture();
  options.pairs = Pairs::all;
  options.split = Split::train;
  const Dataset train = data::read_vigor(options);
  options.split = Split::validation;
  const Dataset validation = data::read_vigor(options);
  // numpy.random.RandomState(42).permutation(24)[:5]
  const std::size_t rows[] = {8, 16, 0, 18, 11};
  REQUIRE(validation.samples.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(validation.samples[i].number == i);
    CHECK(validation.samples[i].ground == train.samples[4 * rows[i / 4] + i % 4].ground);
    CHECK(validation.samples[i].in_reference == (i < 16));
  }
  CHECK(validation.groups[0].ground_images == 1);
  CHECK(validation.groups[1].ground_images == 2);
}

TEST_CASE("a data set of another size than published is read with a warning") {
  const Dataset set = data::read_vigor(fixture());
  REQUIRE(set.warnings.size() == 2);
  CHECK(holds(set.warnings[0],
              "same_area_balanced_test.txt: 5 panoramas where 12,739 are published"));
  CHECK(holds(set.warnings[1], "20 panoramas where 52,605 are published"));
}

TEST_CASE("cities without labels are an error, or one warning that names them") {
  const test::FixtureCopy copy(test::vigor_fixture());
  for (const char* city : {"NewYork", "Seattle", "SanFrancisco"}) {
    std::filesystem::remove_all(copy.root() / "splits__corrected" / city);
  }
  std::filesystem::remove_all(copy.root() / "splits");
  VigorOptions options;
  options.root = copy.root();
  options.labels = LabelSet::corrected;
  CHECK(holds(message_of(options), "NewYork is missing"));
  options.absent_cities = true;
  const Dataset set = data::read_vigor(options);
  REQUIRE(set.groups.size() == 1);
  CHECK(set.groups[0].name == "Chicago");
  CHECK(set.samples.size() == 5);
  REQUIRE(set.warnings.size() == 2);
  CHECK(holds(set.warnings[1], "without NewYork, Seattle, SanFrancisco: "));
  options.labels = LabelSet::mercator;  // names are the same in the corrected files
  CHECK(data::read_vigor(options).samples.size() == 5);
  options.labels = LabelSet::original;
  const Dataset none = data::read_vigor(options);
  CHECK(none.samples.empty());
  REQUIRE(none.warnings.size() == 1);
  CHECK(holds(none.warnings[0], "without NewYork, Seattle, SanFrancisco, Chicago: "));
}

TEST_CASE("some of the cities are a data set of their own") {
  VigorOptions options = fixture();
  const std::size_t all = data::read_vigor(options).samples.size();
  options.cities = {"Chicago", "Seattle", "Chicago"};
  const Dataset set = data::read_vigor(options);
  REQUIRE(set.groups.size() == 2);  // in the order of the data set
  CHECK(set.groups[0].name == "Seattle");
  CHECK(set.groups[1].name == "Chicago");
  CHECK(set.samples.size() == 10);
  CHECK(all == 20);
  for (std::size_t i = 0; i < set.samples.size(); ++i) CHECK(set.samples[i].number == i);
  REQUIRE(set.warnings.size() == 1);  // of Chicago; the size of the whole says nothing
  SECTION("those that others do not hold are not looked for") {
    const test::FixtureCopy copy(test::vigor_fixture());
    std::filesystem::remove_all(copy.root() / "splits" / "NewYork");
    options.root = copy.root();
    CHECK(data::read_vigor(options).samples.size() == 10);
    options.cities.clear();
    CHECK(holds(message_of(options),
                "NewYork is missing; download it, name the cities that are "
                "there by --cities"));
  }
  SECTION("unknown ones, and those of another area, are refused") {
    options.cities = {"Chicago", "Boston"};
    CHECK(message_of(options) ==
          "--cities: 'Boston' is none of the cities of this area and split: "
          "NewYork, Seattle, SanFrancisco, Chicago");
    options.area = Area::cross;
    options.cities = {"Seattle"};
    CHECK(holds(message_of(options),
                "'Seattle' is none of the cities of this area and split: "
                "SanFrancisco, Chicago"));
    options.absent_cities = true;  // --list goes through all splits
    CHECK(data::read_vigor(options).samples.empty());
    options.cities = {"Boston"};
    CHECK(holds(message_of(options), "'Boston' is none"));
  }
}

TEST_CASE("labels that lead out of the root or far from the tile are refused") {
  const test::FixtureCopy copy(test::vigor_fixture());
  VigorOptions options;
  options.root = copy.root();
  const std::string file = "splits/Seattle/same_area_balanced_test.txt";
  const std::string text = test::read_text(copy.root() / file);
  const std::string where = (copy.root() / file).string() + ":1: ";
  const std::string panorama = text.substr(0, text.find(' '));
  const std::size_t at = text.find("satellite_");
  const std::string satellite = text.substr(at, text.find(' ', at) - at);
  SECTION("a panorama elsewhere") {
    copy.replace(file, panorama, "../../../elsewhere/" + panorama);
    CHECK(holds(message_of(options), where + "'../../../elsewhere/"));
  }
  SECTION("a tile elsewhere, even if the list of tiles has it") {
    const std::string other = "a/../../../b.png";
    copy.replace(file, satellite, other);
    copy.replace("splits/Seattle/satellite_list.txt", satellite, other);
    CHECK(holds(message_of(options), where + "'" + other + "' leaves the folder"));
  }
  SECTION("a camera that is not near its tile") {
    const std::size_t begin = text.find(' ', at) + 1;
    const std::string delta = text.substr(begin, text.find(' ', begin) - begin);
    for (const char* wrong : {"1e160", "-1e308", "6401", "-6400.5"}) {
      CAPTURE(wrong);
      test::write_text(copy.root() / file, text);
      copy.replace(file, satellite + " " + delta, satellite + " " + wrong);
      CHECK(message_of(options) ==
            where + "delta_row is '" + wrong + "'; -6400 to 6400 is expected");
    }
  }
  SECTION("coordinates off the map, or of another continent") {
    options.labels = LabelSet::mercator;
    for (const char* position : {"90,-122", "-89.9,-122", "85.1,-122", "47.6,-181"}) {
      CAPTURE(position);
      test::write_text(copy.root() / file, text);
      copy.replace(file, panorama, "abc," + std::string(position) + ",.jpg");
      CHECK(holds(message_of(options), "holds no coordinates of the map"));
    }
    test::write_text(copy.root() / file, text);
    copy.replace(file, panorama, "abc,-47.6,122,.jpg");
    CHECK(holds(message_of(options), "are more than ten tiles apart"));
  }
}

TEST_CASE("damaged label files are refused with file, line and what is expected") {
  const test::FixtureCopy copy(test::vigor_fixture());
  VigorOptions options;
  options.root = copy.root();
  const std::string file = "splits/Seattle/same_area_balanced_test.txt";
  const std::string text = test::read_text(copy.root() / file);
  const std::string second = text.substr(text.find('\n') + 1, text.find(' ') + 1);
  const auto where = (copy.root() / file).string();
  SECTION("a field too few") {
    copy.replace(file, second, second.substr(0, second.size() - 1));
    CHECK(holds(message_of(options), where + ":2: 12 fields where a label line has 13"));
  }
  SECTION("a delta that is no number") {
    const std::size_t at = text.find(".png ") + 5;
    const std::string delta = text.substr(at, text.find(' ', at) - at);
    copy.replace(file, delta, "west");
    CHECK(message_of(options) == where + ":1: delta_row is 'west'; a number is expected");
  }
  SECTION("a satellite that is not in the list") {
    const std::string list = "splits/Seattle/satellite_list.txt";
    const std::size_t at = text.find("satellite_");
    const std::string name = text.substr(at, text.find(' ', at) - at);
    copy.replace(list, name, "satellite_1_2.png");
    CHECK(message_of(options) ==
          where + ":1: '" + name + "' is not in the list of Seattle's tiles");
  }
  SECTION("no list of satellites") {
    std::filesystem::remove(copy.root() / "splits/Seattle/satellite_list.txt");
    CHECK(holds(message_of(options), "satellite_list.txt: cannot be opened"));
  }
  SECTION("coordinates that do not parse, where they are needed") {
    const std::string name = text.substr(0, text.find(' '));
    copy.replace(file, name, "abc,1x,2,.jpg");
    CHECK(message_of(options).empty());
    options.labels = LabelSet::mercator;
    CHECK(holds(message_of(options), where + ":1: 'abc,1x,2,.jpg' holds no coordinates"));
  }
}

TEST_CASE("a world has the cities and the scales of its description") {
  const test::FixtureCopy copy(test::vigor_fixture());
  const auto describe = [&](const std::string& text) {
    test::write_text(copy.root() / "world.json", text);
  };
  const auto cities = [](const std::string& metres) {
    return R"("cities": [{"name": "Chicago", "metres_per_pixel": )" + metres + "}]}";
  };
  VigorOptions options;
  options.root = copy.root();
  options.world = true;
  CHECK(holds(message_of(options), "world.json: cannot be opened"));
  describe(R"({"seed": 9600, "reserved": true, )" + cities("0.5"));
  Dataset set = data::read_vigor(options);
  REQUIRE(set.groups.size() == 1);
  CHECK(set.samples.size() == 5);
  CHECK(set.samples[0].true_.metres_per_pixel == 0.5);
  CHECK(set.samples[0].reference.metres_per_pixel == 0.285);
  CHECK(set.warnings.empty());
  SECTION("all cities are for tests across areas, none to train on") {
    options.area = Area::cross;
    set = data::read_vigor(options);
    CHECK(set.samples.size() == 11);
    CHECK(set.warnings.empty());
    options.split = Split::train;
    CHECK(data::read_vigor(options).samples.empty());
    options.split = Split::test;
    describe(R"({"seed": 12, "reserved": false, )" + cities("0.5"));
    set = data::read_vigor(options);
    REQUIRE(set.warnings.size() == 1);
    CHECK(holds(set.warnings[0], "seed 12 is not kept for tests"));
  }
  SECTION("a description that is none is refused") {
    describe("{");
    CHECK(holds(message_of(options), "world.json: not what"));
    describe(R"({"seed": 1, "reserved": false, "cities": []})");
    CHECK(holds(message_of(options), "names no city"));
    describe(R"({"seed": 1, "reserved": false, )" + cities("0"));
    CHECK(holds(message_of(options), "metres_per_pixel of Chicago"));
    for (const char* metres : {"1e300", "1e-300", "-0.1", "1001"}) {
      describe(R"({"seed": 1, "reserved": false, )" + cities(metres));
      CHECK(holds(message_of(options), "metres_per_pixel of Chicago should be a number from"));
    }
    for (const char* name : {"..", ".", "", "a/b", "/etc", "a\\u0000b"}) {
      CAPTURE(name);
      describe(R"({"seed": 1, "reserved": false, "cities": [{"metres_per_pixel": 0.1, "name": ")" +
               std::string(name) + "\"}]}");
      CHECK(holds(message_of(options), "; the name of a folder is expected"));
    }
    for (const char* seed : {"-1", "1.5", "1e300", "true"}) {
      describe(R"({"seed": )" + std::string(seed) + R"(, "reserved": false, )" + cities("0.1"));
      CHECK(holds(message_of(options), "its seed is no whole number"));
    }
    describe(R"({"deep": )" + std::string(100'000, '['));
    CHECK(holds(message_of(options), "world.json: not what `crossfix world` writes: it is nested"));
    describe(R"({"long": ")" + std::string(2'000'000, 'x') + "\"}");
    CHECK(holds(message_of(options), "world.json: longer than"));
    describe(R"({"seed": 1, "reserved": false, )" + cities("\"0.1\""));
    CHECK(holds(message_of(options), "world.json: not what"));
  }
}
