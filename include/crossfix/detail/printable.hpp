/// Text from files and names as it goes to a terminal.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace crossfix::io {

/// Bytes of the UTF-8 character that `text` begins with; 0 if there is none, and for a character
/// that is not seen: a control character (C0, delete, C1), one that turns the direction of text,
/// ends a line or has no width.
std::size_t character_length(std::string_view text);

/// `text` on one line, without anything that a terminal obeys: a blank for a line's end or a tab, a
/// question mark for each byte of another character that is not seen, and for each that is not
/// UTF-8.
std::string printable(std::string_view text);

/// Valid JSON whatever bytes its strings hold: U+FFFD stands for what is not UTF-8, and all
/// characters that are not seen are escaped. On one line, unless `indent` is given.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace crossfix::io
