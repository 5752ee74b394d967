#pragma once

#include <cstdlib>
#include <filesystem>

namespace crossfix::test {

/// The folder of the project, with the golden files and fixtures: the one that the build used, or
/// CROSSFIX_SOURCE_DIR of the environment, for programs that run on another machine.
inline std::filesystem::path source_folder() {
  const char* elsewhere = std::getenv("CROSSFIX_SOURCE_DIR");
  return elsewhere != nullptr ? elsewhere : CROSSFIX_SOURCE_DIR;
}

}  // namespace crossfix::test
