#include "pipeline/sample_decoder.hpp"

#include <catch2/catch.hpp>

#include "crossfix/core/error.hpp"
#include "io/files.hpp"

using namespace crossfix;
using pipeline::Batch;
using pipeline::SampleDecoder;

namespace {

/// A city of plain images; the value of image i is i.
struct City {
  test::ScratchFolder folder;
  data::Dataset set;
  std::vector<Batch> batches;

  City(std::size_t samples, std::size_t batch) {
    set.groups = {{"A", "a.txt", samples, 0, 0.1}};
    std::filesystem::create_directories(folder / "A/panorama");
    std::filesystem::create_directories(folder / "A/satellite");
    for (std::size_t i = 0; i < samples; ++i) {
      data::Sample sample;
      sample.number = i;
      sample.ground = "A/panorama/" + std::to_string(i / 4) + ".png";
      sample.satellite = "A/satellite/" + std::to_string(i) + ".png";
      if (i % 4 == 0) write(sample.ground, 8, 16, static_cast<std::uint8_t>(i / 4));
      write(sample.satellite, 12, 12, static_cast<std::uint8_t>(i));
      set.samples.push_back(sample);
    }
    for (std::size_t i = 0; i < samples; ++i) {
      if (i % batch == 0) batches.emplace_back();
      batches.back().push_back(&set.samples[i]);
    }
  }

  void write(const std::string& name, Index height, Index width, std::uint8_t value) const {
    io::Image image({height, width, 3});
    std::fill_n(image.data(), image.size(), value);
    io::write_png(folder / name, image);
  }
};

}  // namespace

TEST_CASE("batches come in order, as they were read, whatever the threads") {
  const std::size_t batch = GENERATE(1U, 3U, 20U);
  const int threads = GENERATE(1, 4);
  const City city(50, batch);
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleDecoder decoder(source, city.batches, threads);
  std::size_t number = 0;
  while (const auto decoded = decoder.next()) {
    CHECK(decoded->size() == std::min(batch, 50 - number));
    for (const pipeline::DecodedSample& sample : *decoded) {
      REQUIRE(sample.error.empty());
      CHECK(sample.sample->number == number);
      CHECK(sample.ground->shape() == Shape<3>{8, 16, 3});
      CHECK(sample.tile.shape() == Shape<3>{12, 12, 3});
      CHECK((*sample.ground)(3, 7, 2) == number / 4);
      CHECK(sample.tile(5, 5, 2) == number);
      ++number;
    }
  }
  CHECK(number == 50);
  CHECK_FALSE(decoder.next());
}

TEST_CASE("an image that cannot be read is an error of its samples, and its neighbours are not") {
  const City city(12, 4);
  test::write_text(city.folder / "A/panorama/1.png", "");
  std::filesystem::remove(city.folder / "A/satellite/9.png");
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleDecoder decoder(source, city.batches, 2);
  std::vector<std::string> errors;
  while (const auto decoded = decoder.next()) {
    for (const pipeline::DecodedSample& sample : *decoded) errors.push_back(sample.error);
  }
  REQUIRE(errors.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    CAPTURE(i);
    const bool bad = (i >= 4 && i < 8) || i == 9;
    CHECK(errors[i].empty() == !bad);
  }
  CHECK(errors[4] == errors[7]);
  CHECK(errors[4].find("empty") != std::string::npos);
}

TEST_CASE("a decoder may be left before its end") {
  const City city(40, 2);
  const auto source = data::ImageSource::of_vigor(city.folder.path(), city.set);
  SampleDecoder decoder(source, city.batches, 3);
  CHECK(decoder.next());
  const std::vector<Batch> none;
  SampleDecoder empty(source, none, 1);
  CHECK_FALSE(empty.next());
}
