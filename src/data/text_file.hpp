#pragma once

#include <filesystem>
#include <string>

namespace crossfix::data {

/// The text of a file, UTF-8, without its byte order mark. Lines that end in CR alone, in the whole
/// file, end in LF. `what` says what the file should be. Throws DataError if it cannot be read, or
/// holds UTF-16 or other bytes that are no text.
std::string read_text(const std::filesystem::path& file, const std::string& what);

}  // namespace crossfix::data
