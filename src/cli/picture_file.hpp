#pragma once

#include <filesystem>
#include <string>

#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/image.hpp"

namespace crossfix::cli {

/// A picture that an option asks for, of the type that its name ends in. Made before the work, so
/// that a path that cannot be written is known in time; written whole or not at all.
class PictureFile {
 public:
  /// Throws CLI::ValidationError that names `option` for a name of another ending, DataError for a
  /// path that cannot be written.
  PictureFile(const std::string& option, const std::filesystem::path& path);

  void write(io::ImageView picture);

 private:
  bool jpeg_;
  io::AtomicFile file_;
};

}  // namespace crossfix::cli
