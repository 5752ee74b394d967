#include "data/image_source.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "data/robotcar.hpp"
#include "data/vigor.hpp"
#include "fixtures.hpp"

using namespace crossfix;

namespace {

io::Image plain(Index height, Index width, std::uint8_t value) {
  io::Image image({height, width, 3});
  std::fill_n(image.data(), image.size(), value);
  return image;
}

}  // namespace

TEST_CASE("images of a VIGOR pair, under whatever extension") {
  const test::FixtureCopy copy(test::vigor_fixture());
  data::VigorOptions options;
  options.root = copy.root();
  const data::Dataset set = data::read_vigor(options);
  CHECK(test::message_of<DataError>([&] {
          data::ImageSource::of_vigor(copy.root(), set);
        }).find("the images of NewYork are missing") != std::string::npos);
  for (const data::Group& group : set.groups) {
    for (const char* view : {"panorama", "satellite"}) {
      std::filesystem::create_directories(copy.root() / group.name / view);
    }
  }
  const data::ImageSource source = data::ImageSource::of_vigor(copy.root(), set);
  const data::Sample& sample = set.samples.front();
  io::write_jpeg(copy.root() / sample.ground, plain(4, 8, 90));
  std::filesystem::path tile = copy.root() / sample.satellite;
  io::write_jpeg(tile.replace_extension(".jpg"), plain(6, 6, 30));
  CHECK(source.ground(sample).shape() == Shape<3>{4, 8, 3});
  CHECK(source.tile(sample).shape() == Shape<3>{6, 6, 3});
  CHECK_THROWS_AS(source.ground(set.samples[1]), ImageError);
  for (const char* extension : {".JPG", ".Jpeg", ".JPEG"}) {
    CAPTURE(extension);
    std::filesystem::path capital = copy.root() / set.samples[1].ground;
    capital.replace_extension(extension);
    io::write_jpeg(capital, plain(4, 8, 90));
    CHECK(source.ground(set.samples[1]).shape() == Shape<3>{4, 8, 3});
    std::filesystem::remove(capital);
  }
}

TEST_CASE("a RobotCar tile is cut from the map, which may be larger than other images") {
  const test::FixtureCopy copy(test::robotcar_fixture());
  const data::Dataset set = data::read_robotcar({copy.root(), data::Split::test, false});
  CHECK_THROWS_AS(data::ImageSource::of_robotcar(copy.root()), ImageError);
  io::write_png(copy.root() / data::kRobotCarMap, plain(1500, 2000, 55), 1);
  CHECK(test::message_of<DataError>([&] {
          data::ImageSource::of_robotcar(copy.root());
        }).find("2000x1500 pixels, and the map's control points reach to column 15966") !=
        std::string::npos);
  test::write_robotcar_map(copy.root() / data::kRobotCarMap);
  const data::ImageSource source = data::ImageSource::of_robotcar(copy.root());
  const io::Image tile = source.tile(set.samples.front());
  CHECK(tile.shape() == Shape<3>{512, 512, 3});
  CHECK(std::count(tile.data(), tile.data() + tile.size(), std::uint8_t{255}) > tile.size() / 4);
}
