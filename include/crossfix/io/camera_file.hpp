#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crossfix/camera/camera.hpp"

namespace crossfix::io {

/// Reads a camera and how it stands from a camera file: one YAML mapping, whose keys
/// docs/cameras.md names. Absent are only keys that have a default there.
///
/// Throws DataError, one line that begins with FILE:LINE, for a file that cannot be read or is no
/// YAML, and for keys that are unknown, missing, given twice, of another type, not finite, out of
/// range or contradictory.
camera::MountedCamera read_camera(const std::filesystem::path& path);

/// The same from the text of a file; `name` is what messages call it.
camera::MountedCamera parse_camera(std::string_view text, std::string_view name);

/// The text of a camera file, for those who need both. Throws DataError if it cannot be read.
std::string read_camera_text(const std::filesystem::path& path);

}  // namespace crossfix::io
