#include "pipeline/sample_reader.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using pipeline::SampleImages;
using pipeline::SampleReader;

namespace {

/// A city of plain images; the value of image i is i.
struct City {
  test::ScratchFolder folder;
  data::Dataset set;
  std::vector<const data::Sample*> samples;

  explicit City(std::size_t count) {
    set.groups = {{"A", "a.txt", count, 0, 0.1}};
    std::filesystem::create_directories(folder / "A/panorama");
    std::filesystem::create_directories(folder / "A/satellite");
    for (std::size_t i = 0; i < count; ++i) {
      data::Sample sample;
      sample.number = i;
      sample.ground = "A/panorama/" + std::to_string(i / 4) + ".png";
      sample.satellite = "A/satellite/" + std::to_string(i) + ".png";
      if (i % 4 == 0) write(sample.ground, 8, 16, static_cast<std::uint8_t>(i / 4));
      write(sample.satellite, 12, 12, static_cast<std::uint8_t>(i));
      set.samples.push_back(sample);
    }
    for (const data::Sample& sample : set.samples) samples.push_back(&sample);
  }

  void write(const std::string& name, Index height, Index width, std::uint8_t value) const {
    io::Image image({height, width, 3});
    std::fill_n(image.data(), image.size(), value);
    io::write_png(folder / name, image);
  }
};

}  // namespace

TEST_CASE("samples come in order, as they were read, whatever the threads") {
  const std::size_t ahead = GENERATE(1U, 3U, 20U);
  const int threads = GENERATE(1, 4);
  const City city(50);
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleReader reader(source, city.samples, ahead, threads);
  std::size_t number = 0;
  std::shared_ptr<const io::Image> last;
  while (const auto images = reader.next()) {
    REQUIRE(images->error.empty());
    CHECK(images->sample->number == number);
    CHECK(images->ground->shape() == Shape<3>{8, 16, 3});
    CHECK(images->tile.shape() == Shape<3>{12, 12, 3});
    CHECK((*images->ground)(3, 7, 2) == number / 4);
    CHECK(images->tile(5, 5, 2) == number);
    CHECK((images->ground == last) == (number % 4 != 0));  // read once for its four tiles
    last = images->ground;
    ++number;
  }
  CHECK(number == 50);
  CHECK_FALSE(reader.next());
}

TEST_CASE("an image that cannot be read is an error of its samples, and of no others") {
  const City city(12);
  test::write_text(city.folder / "A/panorama/1.png", "");
  std::filesystem::remove(city.folder / "A/satellite/9.png");
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleReader reader(source, city.samples, 4, 2);
  std::vector<std::string> errors;
  while (const auto images = reader.next()) errors.push_back(images->error);
  REQUIRE(errors.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    CAPTURE(i);
    const bool bad = (i >= 4 && i < 8) || i == 9;
    CHECK(errors[i].empty() == !bad);
  }
  CHECK(errors[4] == errors[7]);
  CHECK(errors[4].find("empty") != std::string::npos);
}

TEST_CASE("a reader may be left before its end") {
  const City city(40);
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleReader reader(source, city.samples, 2, 3);
  CHECK(reader.next());
  SampleReader empty(source, {}, 1, 1);
  CHECK_FALSE(empty.next());
}
