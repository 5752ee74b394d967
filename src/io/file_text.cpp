#include "file_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "crossfix/core/error.hpp"
#include "regular_file.hpp"

namespace crossfix::io {

std::string read_to_end(int descriptor, const std::filesystem::path& file, std::size_t most) {
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw DataError(file.string() + ": cannot be read: " + std::strerror(errno));
    }
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > most) {
      throw DataError(file.string() + ": longer than the " + std::to_string(most) +
                      " bytes that such a file may have");
    }
  }
}

std::string read_stream(const std::filesystem::path& file, const std::string& expected,
                        std::size_t most) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw DataError(file.string() + ": cannot be opened; " + expected + " is expected");
  }
  struct Close {
    int descriptor;
    ~Close() { ::close(descriptor); }  // nothing was written
  } const close{descriptor};
  return read_to_end(descriptor, file, most);
}

std::string read_text(const std::filesystem::path& file, const std::string& expected,
                      std::size_t most) {
  if (const std::string why = why_not_readable(file); !why.empty()) {
    throw DataError(file.string() + ": " + why + "; " + expected + " is expected");
  }
  return read_stream(file, expected, most);
}

std::string as_text(std::string bytes, const std::filesystem::path& file) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    throw DataError(file.string() + ": UTF-16; save it as UTF-8");
  }
  if (bytes.find('\0') != std::string::npos) {
    throw DataError(file.string() + ": UTF-16, or no text; save it as UTF-8");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.erase(0, kByteOrderMark.size());
  if (bytes.find('\n') == std::string::npos) std::replace(bytes.begin(), bytes.end(), '\r', '\n');
  return bytes;
}

}  // namespace crossfix::io
