#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace crossfix::io {

/// Why a path must not be opened for reading, or an empty text. A pipe that lies in a folder would
/// keep the program waiting for ever. One that the program was started with, such as /dev/stdin and
/// /dev/fd/63, is taken.
inline std::string why_not_readable(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) return "it is a folder";
  const auto folder = path.parent_path();
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
      path == "/dev/stdin" || folder == "/dev/fd" || folder == "/proc/self/fd") {
    return {};
  }
  return "it is a pipe or a device, no regular file";
}

}  // namespace crossfix::io
