#include "crossfix/io/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "crossfix/core/error.hpp"
#include "temporary.hpp"

namespace crossfix::io {

namespace {

/// Waits until the contents of a file or the names in a folder are on the disk. Returns an error
/// number; 0 where the file system cannot do that.
int synchronize(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    const bool unsupported = errno == EINVAL || errno == ENOTSUP || errno == EROFS;
    return unsupported ? 0 : errno;
  }
  return 0;
}

/// The same for the folder of a file. A folder that may be written but not read is left out.
int synchronize_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int error = synchronize(descriptor);
  ::close(descriptor);
  return error;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), target_(path_) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!path_.has_filename()) fail(path_.empty() ? ENOENT : EISDIR);
  if (fs::is_symlink(path_, ignored)) {
    target_ = fs::weakly_canonical(path_, ignored);
    if (ignored) fail(ignored.value());
  }
  const fs::file_status status = fs::status(target_, ignored);
  if (fs::is_directory(status)) fail(EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // A rename could replace a read-only file if its folder is writable, but its owner protected
    // it.
    if (fs::exists(status) && ::access(target_.c_str(), W_OK) != 0) fail(errno);
    TemporaryFile made = make_temporary_file(target_);
    temporary_ = std::move(made.path);
    descriptor_ = made.descriptor;
  }
  if (descriptor_ < 0) fail(errno);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) remove_temporary(temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  // Before the new name, so that no crash of the machine leaves it on a file without its bytes.
  if (!temporary_.empty()) {
    if (const int error = synchronize(descriptor_)) fail(error);
  }
  // Some file systems report a full disk only here.
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
  if (temporary_.empty()) return;
  if (!rename_temporary(temporary_, target_)) fail(errno);
  temporary_.clear();
  if (const int error = synchronize_folder_of(target_)) fail(error);
}

void AtomicFile::fail(int error) const {
  throw DataError("cannot write '" + path_.string() + "': " + std::strerror(error));
}

}  // namespace crossfix::io
