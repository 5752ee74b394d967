#pragma once

#include <cstdlib>
#include <filesystem>

namespace crossfix::test {

/// The project's folder, where golden files and fixtures lie: the one built from, or where the
/// environment's CROSSFIX_SOURCE_DIR says, for programs that were carried elsewhere.
inline std::filesystem::path source_folder() {
  const char* elsewhere = std::getenv("CROSSFIX_SOURCE_DIR");
  return elsewhere != nullptr ? elsewhere : CROSSFIX_SOURCE_DIR;
}

}  // namespace crossfix::test
