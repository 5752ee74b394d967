// The description of a synthetic world, JSON.
#include <cmath>

#include "data/world_description.hpp"
#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::write_bytes(test::fuzz_folder() / "world.json", test::bytes_of(data, size));
  test::read_or_refuse([&] {
    const auto world = data::read_world_description(test::fuzz_folder().path());
    test::promise(!world.cities.empty());
    for (const data::WorldCity& city : world.cities) {
      test::promise(!city.name.empty() && city.name.find('/') == std::string::npos);
      test::promise(city.metres_per_pixel > 0 && std::isfinite(city.metres_per_pixel));
    }
  });
  return 0;
}
