// The label lines of a city in the layout of VIGOR.
#include "data/vigor.hpp"

#include <cmath>
#include <filesystem>

#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto folder = test::fuzz_folder() / "splits/Chicago";
  if (std::filesystem::create_directories(folder)) {
    test::write_text(folder / "satellite_list.txt",
                     "satellite_41.87_-87.62.png\nsatellite_41.88_-87.63.png\nt\n");
  }
  test::write_bytes(folder / "same_area_balanced_test.txt", test::bytes_of(data, size));
  data::VigorOptions options{.root = test::fuzz_folder().path(), .absent_cities = true};
  options.pairs = data::Pairs::all;
  for (const auto labels : {data::LabelSet::original, data::LabelSet::mercator}) {
    options.labels = labels;
    test::read_or_refuse([&] {
      for (const data::Sample& sample : data::read_vigor(options).samples) {
        test::promise(std::isfinite(sample.label.row) && std::isfinite(sample.label.col));
        test::promise(sample.line > 0);
      }
    });
  }
  return 0;
}
