#pragma once

#include <filesystem>

namespace crossfix::io {

/// Throws DataError if the folder that `folder` is to be made in is not there: a path that was
/// mistyped makes no tree of folders.
void check_parent(const std::filesystem::path& folder);

/// Makes a folder if it is not there, and none of its parents. Throws DataError.
void make_folder(const std::filesystem::path& folder);

}  // namespace crossfix::io
