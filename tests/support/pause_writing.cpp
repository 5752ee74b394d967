/// A library for LD_PRELOAD that stops a run in the middle of a record, for tests of interrupted
/// runs. While the process writes record RECORD (counted from 1) to a results file, only the first
/// BYTES bytes are written, and the process waits to be killed. The environment has both numbers:
/// PAUSE_WRITING=RECORD:BYTES.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

/// Whether the descriptor is that of a file samples.jsonl or samples.RANK.jsonl.
bool is_results_file(int descriptor) {
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  char path[4096];
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  if (length <= 0) return false;
  std::string_view name(path, static_cast<std::size_t>(length));
  name = name.substr(name.rfind('/') + 1);
  return name.starts_with("samples.") && name.ends_with("jsonl");
}

ssize_t write_all(int descriptor, const void* data, std::size_t size) {
  return ::syscall(SYS_write, descriptor, data, size);
}

}  // namespace

extern "C" ssize_t write(int descriptor, const void* data, std::size_t size) {
  static std::atomic<unsigned long> records = 0;
  constexpr std::string_view kBegin = "{\"sample\":";
  const std::string_view text(static_cast<const char*>(data), size);
  const char* pause = std::getenv("PAUSE_WRITING");
  if (pause != nullptr && text.starts_with(kBegin) && is_results_file(descriptor)) {
    char* end = nullptr;
    if (++records == std::strtoul(pause, &end, 10)) {
      const std::size_t bytes = std::strtoul(end + 1, nullptr, 10);
      if (bytes > 0) write_all(descriptor, data, bytes);
      while (true) ::pause();
    }
  }
  return write_all(descriptor, data, size);
}
