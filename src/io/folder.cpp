#include "crossfix/io/folder.hpp"

#include <system_error>

#include "crossfix/core/error.hpp"

namespace crossfix::io {

void check_parent(const std::filesystem::path& folder) {
  std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(whole.parent_path(), ignored)) return;
  throw DataError("cannot make '" + folder.string() + "': there is no folder '" +
                  whole.parent_path().string() + "'; make it first, or check the path");
}

void make_folder(const std::filesystem::path& folder) {
  check_parent(folder);
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    throw DataError(folder.string() + ": " +
                    (error ? error.message() : std::string("is no folder")));
  }
}

}  // namespace crossfix::io
