#pragma once

#include <filesystem>
#include <string>

#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/image.hpp"

namespace crossfix::cli {

/// A picture that an option asks for; the ending of its name gives its type. It is made before the
/// work, so that a path that cannot be written is found in time. It is written whole or not at all.
class PictureFile {
 public:
  /// Throws CLI::ValidationError, naming `option`, if the name has another ending, and DataError if
  /// the path cannot be written.
  PictureFile(const std::string& option, const std::filesystem::path& path);

  void write(io::ImageView picture);

 private:
  bool jpeg_;
  io::AtomicFile file_;
};

}  // namespace crossfix::cli
