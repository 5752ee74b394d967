// A camera file, YAML.
#include "crossfix/io/camera_file.hpp"
#include "fuzz.hpp"

using namespace crossfix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::read_or_refuse([&] {
    const auto read = io::parse_camera(test::text_of(data, size), "camera.yaml");
    test::promise(!flaw_of(read.mount));
    test::promise(read.camera.height() > 0 && read.camera.width() > 0);
  });
  return 0;
}
