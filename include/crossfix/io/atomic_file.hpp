#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace crossfix::io {

/// A file that appears under its name complete, or not at all. Bytes go to a temporary name in the
/// same folder; `commit` renames it. An existing file of that name stays unchanged until then. If
/// `commit` is never called, the temporary file is removed. This holds too if the machine loses
/// power: the bytes are on the disk before the name is.
///
/// Construct it before long work, so that an unwritable path is found early. A device or a pipe is
/// written directly. A symbolic link is followed.
class AtomicFile {
 public:
  /// Throws DataError if the folder is missing or cannot be written, or if the path is a folder.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends. Throws DataError (disk full, pipe closed).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Renames the file to its final name, and returns when both are on the disk. Nothing can be
  /// written afterwards. Throws DataError.
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;       ///< as given by the caller, for messages
  std::filesystem::path target_;     ///< with symbolic links followed
  std::filesystem::path temporary_;  ///< empty if written directly, and after the rename
  int descriptor_ = -1;
};

}  // namespace crossfix::io
