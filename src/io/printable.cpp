#include "crossfix/detail/printable.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace crossfix::io {

namespace {

/// The first character of a text, and its bytes; 0 if the text begins with none.
struct Character {
  std::size_t length = 0;
  unsigned code = 0;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return {};
  const unsigned first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  unsigned code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<unsigned, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF) return {};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool unassigned = (code & 0xFFFEU) == 0xFFFE;
  return surrogate || unassigned ? Character{} : Character{length, code};
}

/// Whether a terminal obeys the character, or shows nothing of it but a changed text: its order,
/// its lines, or a name that looks like another.
bool is_hidden(unsigned code) {
  constexpr std::array<std::array<unsigned, 2>, 10> kRanges{{{0, 0x1F},
                                                             {0x7F, 0x9F},
                                                             {0xAD, 0xAD},
                                                             {0x61C, 0x61C},
                                                             {0x200B, 0x200F},
                                                             {0x2028, 0x202E},
                                                             {0x2060, 0x206F},
                                                             {0xFEFF, 0xFEFF},
                                                             {0xFFF9, 0xFFFB},
                                                             {0xE0000, 0xE007F}}};
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [&](const auto& range) { return code >= range[0] && code <= range[1]; });
}

/// The escape of JSON for 16 bits of UTF-16.
std::string escape(unsigned unit) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) text += kDigits[unit >> shift & 0xFU];
  return text;
}

}  // namespace

std::size_t character_length(std::string_view text) {
  const Character character = first_character(text);
  return is_hidden(character.code) ? 0 : character.length;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kBlanks = "\t\n\v\f\r";
  std::string line;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length > 0) {
      line += text.substr(0, length);
    } else {
      line += kBlanks.find(text.front()) == std::string_view::npos ? '?' : ' ';
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return line;
}

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  // The writer escapes the controls of C0 alone. Others are in strings, where an escape may stand.
  const std::string text =
      json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size() + 1);
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = first_character(rest);
    const std::size_t length = std::max<std::size_t>(character.length, 1);
    if (character.code < 0x20 || !is_hidden(character.code)) {  // also the line ends of `indent`
      safe += rest.substr(0, length);
    } else if (character.code < 0x10000) {
      safe += escape(character.code);
    } else {
      const unsigned beyond = character.code - 0x10000;
      safe += escape(0xD800 + (beyond >> 10U)) + escape(0xDC00 + (beyond & 0x3FFU));
    }
    rest.remove_prefix(length);
  }
  return safe;
}

}  // namespace crossfix::io
