// fuzz_NAME FILE_OR_FOLDER...: gives files to a fuzz target, as libFuzzer does, without looking for
// others. Fails if the reader refuses all of them.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "fuzz.hpp"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);  // the last line names what ended the program
    const std::string bytes = crossfix::test::read_text(file);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  // A reader that refuses all of them has not been tried.
  std::printf("%zu inputs, %d reads\n", files.size(), crossfix::test::reads);
  return crossfix::test::reads == 0 ? 1 : 0;
}
