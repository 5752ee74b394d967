#include "crossfix/detail/printable.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace crossfix::io {

std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  unsigned code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<unsigned, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF) return 0;
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool control = code < 0xA0;
  const bool unassigned = (code & 0xFFFEU) == 0xFFFE;
  return surrogate || control || unassigned ? 0 : length;
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
  constexpr char kDigits[] = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const bool control = byte(i) == 0xC2 && byte(i + 1) < 0xA0;  // of C1; valid UTF-8 goes on
    if (control) ++i;
    if (!control && byte(i) != 0x7F) {
      safe += text[i];
      continue;
    }
    safe += "\\u00";
    safe += kDigits[byte(i) >> 4U];
    safe += kDigits[byte(i) & 0xFU];
  }
  return safe;
}

}  // namespace crossfix::io
