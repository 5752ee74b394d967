// The configuration of a network, JSON in a weights file.
#include "crossfix/io/configuration.hpp"

#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::read_or_refuse([&] {
    const auto read = io::parse_configuration(std::string(test::text_of(data, size)));
    const std::string written = io::to_json(read);
    std::string again;
    const bool accepted =
        test::read_or_refuse([&] { again = io::to_json(io::parse_configuration(written)); });
    test::promise(accepted && again == written);
  });
  return 0;
}
