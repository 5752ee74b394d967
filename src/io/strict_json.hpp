/// JSON from untrusted files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace crossfix::io {

using Json = nlohmann::json;

/// Parses one JSON document. Unlike usual JSON parsers, it rejects a name that occurs twice in an
/// object, and nesting deeper than `deepest` (which would cost unlimited memory and time). Throws
/// WeightsError that begins with `what`.
Json parse_strict(const std::string& what, std::string_view text, int deepest);

/// Text from a file, prepared for a one-line message: quoted, printable, cut at 80 bytes.
std::string shown(std::string_view text);

}  // namespace crossfix::io
