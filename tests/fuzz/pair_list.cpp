// A list of pairs, CSV.
#include "pipeline/pair_list.hpp"

#include <cmath>

#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = test::fuzz_folder() / "list.csv";
  test::write_bytes(path, test::bytes_of(data, size));
  test::read_or_refuse([&] {
    std::size_t line = 1;
    for (const pipeline::PairEntry& entry : pipeline::read_pair_list(path)) {
      test::promise(entry.line > line);
      line = entry.line;
      const auto metres = entry.metres_per_pixel;
      test::promise(!metres || (*metres > 0 && std::isfinite(*metres)));
    }
  });
  return 0;
}
