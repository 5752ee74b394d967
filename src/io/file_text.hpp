#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

namespace crossfix::io {

/// All that a descriptor has left to read. `file` is its name, for the message. Throws DataError if
/// any read fails: a file is never taken to end where it could not be read further.
std::string read_to_end(int descriptor, const std::filesystem::path& file,
                        std::size_t most = std::numeric_limits<std::size_t>::max());

/// The bytes of a whole file, or of a pipe up to its end. `expected` says what it should be, for
/// the message. Throws DataError that begins with the file's name if it cannot be opened or read,
/// or is longer than `most` bytes.
std::string read_stream(const std::filesystem::path& file, const std::string& expected,
                        std::size_t most = std::numeric_limits<std::size_t>::max());

/// As read_stream, of files that no user names one by one: a pipe that lies among them is refused,
/// and not waited for.
std::string read_text(const std::filesystem::path& file, const std::string& expected,
                      std::size_t most = std::numeric_limits<std::size_t>::max());

/// The bytes of a file as UTF-8 text, without a byte order mark. Lines that end in CR alone, in the
/// whole file, end in LF. Throws DataError that begins with the file's name for UTF-16 and for what
/// is no text.
std::string as_text(std::string bytes, const std::filesystem::path& file);

}  // namespace crossfix::io
