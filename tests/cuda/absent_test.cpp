#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "crossfix/localizer.hpp"
#include "support/model_files.hpp"

using namespace crossfix;

TEST_CASE("without a GPU cuda is refused in one clear line, and automatic takes the CPU",
          "[cuda]") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("crossfix-absent-" + std::to_string(::getpid()) + ".safetensors");
  const auto configuration = test::tiny_configuration();
  test::GeneratedModel(configuration).write(path, configuration);
  try {
    const Localizer localizer = Localizer::load(path, {.device = Device::cuda});
    std::printf("skipped, there is a GPU: %s\n", localizer.description().c_str());
  } catch (const DeviceError& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find("--device cpu") != std::string::npos);
    CHECK(Localizer::load(path, {.device = Device::automatic}).device() == Device::cpu);
  }
  std::filesystem::remove(path);
}
