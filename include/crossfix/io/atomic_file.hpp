#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace crossfix::io {

/// A file that appears under its name whole, or not at all: bytes go to a temporary name in the
/// same folder, `commit` renames. A file of that name stays as it was until then, and where
/// `commit` is never reached the temporary is removed.
///
/// Construct it before long work, so that a path that cannot be written is known first. A name that
/// is a device or a pipe is written directly; a symbolic link is followed.
class AtomicFile {
 public:
  /// Throws DataError where the folder is missing or cannot be written, or the name is a folder's.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends. Throws DataError (disk full, pipe closed).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Gives the file its name; nothing can be written afterwards. Throws DataError.
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;       ///< as the caller wrote it, for messages
  std::filesystem::path target_;     ///< with symbolic links followed
  std::filesystem::path temporary_;  ///< empty where written directly, or once it has its name
  int descriptor_ = -1;
};

}  // namespace crossfix::io
