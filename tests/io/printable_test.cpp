#include "crossfix/detail/printable.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "io/strict_json.hpp"

using namespace crossfix;

namespace {

/// A code point in UTF-8.
std::string character(unsigned code) {
  const auto later = [&](unsigned shift) {
    return static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0U | code >> 6U), later(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0U | code >> 12U), later(6), later(0)};
  return {static_cast<char>(0xF0U | code >> 18U), later(12), later(6), later(0)};
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

TEST_CASE("characters that are not seen are shown as such, and their neighbours as they are") {
  for (const unsigned code : {0x61CU, 0x200BU, 0x200FU, 0x2028U, 0x2029U, 0x202AU, 0x202EU, 0x2060U,
                              0x2066U, 0x2069U, 0xFEFFU, 0xE0001U, 0xE007FU}) {
    CAPTURE(code);
    const std::string hidden = character(code);
    CHECK(io::printable("a" + hidden + "b") == "a" + std::string(hidden.size(), '?') + "b");
    const std::string json = io::json_text("a" + hidden + "b");
    CHECK(json.find(hidden) == std::string::npos);
    CHECK(nlohmann::json::parse(json) == "a" + hidden + "b");
  }
  for (const unsigned code :
       {0x61BU, 0x200AU, 0x2010U, 0x2027U, 0x202FU, 0x2070U, 0xFEFCU, 0x1F4F7U, 0xE0100U}) {
    CAPTURE(code);
    CHECK(io::printable(character(code)) == character(code));
    CHECK(io::json_text(character(code)) == "\"" + character(code) + "\"");
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
