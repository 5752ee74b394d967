#pragma once

#include <filesystem>

#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/image.hpp"

namespace crossfix::draw {

/// The types of pictures that are written.
enum class PictureType { png, jpeg };

/// The type that the ending of a file's name says. Throws DataError for another ending.
PictureType picture_type(const std::filesystem::path& path);

/// A picture that is asked for. Its file is opened before the work, so that a path that cannot be
/// written is found in time. It is written whole or not at all.
class PictureFile {
 public:
  /// Throws DataError if the name has another ending, or the path cannot be written.
  explicit PictureFile(const std::filesystem::path& path);

  /// Throws DataError for a height and width that no picture is written in: before the work.
  void need_size(const Shape<2>& size) const;

  void write(io::ImageView picture);

 private:
  std::filesystem::path path_;
  PictureType type_;
  io::AtomicFile file_;
};

}  // namespace crossfix::draw
