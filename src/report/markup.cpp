#include "markup.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"

namespace crossfix::report {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kMinus = "\xE2\x88\x92";        // U+2212
constexpr std::string_view kThinSpace = "\xE2\x80\xAF";    // U+202F

/// std::to_chars, because it does not depend on the locale.
std::string fixed(double value, int decimals) {
  std::array<char, 400> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::fixed, decimals);
  if (error != std::errc()) throw ShapeError("a number is asked for with too many decimals");
  return {text.data(), end};
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool blank = text.front() == '\t' || text.front() == '\n';
    const std::size_t length = blank ? 1 : io::character_length(text);
    if (length == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    switch (text.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string coordinate(double value, int decimals) {
  if (!std::isfinite(value)) throw ShapeError("a coordinate of a drawing is not finite");
  std::string text = fixed(value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string readable(double value, int decimals) {
  if (std::isnan(value)) return "NaN";
  const std::string digits =
      std::isinf(value) ? std::string("\xE2\x88\x9E") : fixed(std::abs(value), decimals);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  std::string out(value < 0 && !zero ? kMinus : std::string_view());
  if (std::isinf(value)) return out + digits;
  const std::size_t whole = std::min(digits.find('.'), digits.size());
  for (std::size_t i = 0; i < digits.size(); ++i) {
    // As usual, four digits are not separated.
    if (whole > 4 && i > 0 && i < whole && (whole - i) % 3 == 0) out += kThinSpace;
    out += digits[i];
  }
  return out;
}

void Markup::begin(std::string_view tag, Attributes attributes) {
  text_ += '<';
  text_ += tag;
  for (const Attribute& attribute : attributes) {
    text_ += ' ';
    text_ += attribute.name;
    text_ += "=\"";
    text_ += escaped(attribute.value);
    text_ += '"';
  }
}

Markup& Markup::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  text_ += '>';
  open_.emplace_back(tag);
  return *this;
}

Markup& Markup::close() {
  if (open_.empty()) throw ShapeError("a mark-up element is closed that was not opened");
  text_ += "</";
  text_ += open_.back();
  text_ += '>';
  open_.pop_back();
  return *this;
}

Markup& Markup::leaf(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  text_ += "/>";
  return *this;
}

Markup& Markup::element(std::string_view tag, std::string_view content, Attributes attributes) {
  return open(tag, attributes).text(content).close();
}

Markup& Markup::text(std::string_view content) {
  text_ += escaped(content);
  return *this;
}

Markup& Markup::nested(std::string_view markup) {
  text_ += markup;
  return *this;
}

Markup& Markup::line_break() {
  text_ += '\n';
  return *this;
}

std::string Markup::take() {
  if (!open_.empty()) throw ShapeError("mark-up element '" + open_.back() + "' is still open");
  return std::exchange(text_, {});
}

}  // namespace crossfix::report
