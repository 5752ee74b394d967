#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "crossfix/localizer.hpp"
#include "support/model_files.hpp"

using namespace crossfix;

TEST_CASE("without a GPU cuda is refused in one clear line, and automatic takes the CPU",
          "[cuda]") {
  const test::ModelFile file;
  try {
    const Localizer localizer = Localizer::load(file.path(), {.device = Device::cuda});
    std::printf("skipped, there is a GPU: %s\n", localizer.description().c_str());
  } catch (const DeviceError& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find("--device cpu") != std::string::npos);
    CHECK(Localizer::load(file.path(), {.device = Device::automatic}).device() == Device::cpu);
  }
}
