#include "crossfix/detail/printable.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "io/strict_json.hpp"

using namespace crossfix;

namespace {

/// A code point below U+0800 in UTF-8.
std::string character(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
}

/// Whether a terminal may obey a part of the text: a control character of C0 or C1, or delete.
bool has_control(const std::string& text) {
  for (unsigned code = 0; code < 0xA0; ++code) {
    const bool control = code < 0x20 || code >= 0x7F;
    if (control && text.find(character(code)) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("printable text has no control character and is UTF-8 on one line") {
  const std::pair<std::string, std::string> cases[] = {
      {"\x1B[31mred\x1B]0;title\x07", "?[31mred?]0;title?"},
      {"a\nb\r\nc\td", "a b  c d"},
      {"\xC2\x9B"
       "2J \x9B"
       "2J \x7F",
       "??2J ?2J ?"},
      {"Stra\xDF"
       "e",
       "Stra?e"},                           // Latin-1
      {"\xC0\x9B \xE0\x80\x9B", "?? ???"},  // escapes written longer than they may be
      {"\xED\xA0\x80", "???"},              // a lone surrogate
      {"cut \xE2\x82", "cut ??"},
      {"\xC5\x81\xC3\xB3"
       "d\xC5\xBA \xE2\x82\xAC \xF0\x9F\x93\xB7 \xC2\xA0",
       "\xC5\x81\xC3\xB3"
       "d\xC5\xBA \xE2\x82\xAC \xF0\x9F\x93\xB7 \xC2\xA0"},
      {"", ""},
  };
  for (const auto& [text, expected] : cases) CHECK(io::printable(text) == expected);
  for (unsigned code = 0; code < 0xA0; ++code) {
    CAPTURE(code);
    CHECK_FALSE(has_control(io::printable("a" + character(code) + "b")));
  }
}

TEST_CASE("text that is cut for a message ends with a whole character") {
  const std::string most(79, 'n');
  CHECK(io::shown(most + "\xC3\xA9") == "'" + most + "...'");
  CHECK(io::shown(most + "e") == "'" + most + "e'");
  CHECK(io::shown("\x1B]0;x\x07") == "'?]0;x?'");
}

TEST_CASE("JSON is valid whatever bytes its strings hold, and a terminal does not obey it") {
  nlohmann::ordered_json json;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text = {'x', static_cast<char>(byte), 'y'};
    json[text] = {text, std::to_string(byte)};
  }
  for (const int indent : {-1, 2}) {
    const std::string text = io::json_text(json, indent);
    CHECK(nlohmann::json::parse(text).is_object());
    std::string line = text;
    if (indent > 0) std::erase(line, '\n');
    CHECK_FALSE(has_control(line));
  }
  for (unsigned code = 0; code < 0x120; ++code) {
    CAPTURE(code);
    const std::string text = "a" + character(code) + "b";
    CHECK(nlohmann::json::parse(io::json_text(text)) == text);
  }
  CHECK(io::json_text("\xC2\x9B\x7F\x1B\xC3\x9F") == "\"\\u009b\\u007f\\u001b\xC3\x9F\"");
  CHECK(io::json_text("Stra\xDF"
                      "e") ==
        "\"Stra\xEF\xBF\xBD"
        "e\"");
}
