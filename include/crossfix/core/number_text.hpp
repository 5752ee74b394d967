#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

/// Numbers as text, the same whatever the locale.
namespace crossfix {

/// The text without the blanks about it.
inline std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// The text with the capitals of ASCII made small.
inline std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// A finite number in C's notation that fills the text, but for blanks about it and one plus before
/// it. Empty for anything else.
inline std::optional<double> parse_number(std::string_view text) {
  text = without_blanks(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value)) return {};
  return value;
}

namespace detail {

inline std::string number_text(double value, std::chars_format format, int digits) {
  std::string text(512, '\0');  // 309 digits, a point, and what may follow it
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value, format, digits);
  text.resize(static_cast<std::size_t>(written.ptr - text.data()));
  return text;
}

}  // namespace detail

/// As "%.{digits}g" has it in the C locale.
inline std::string general_text(double value, int digits) {
  return detail::number_text(value, std::chars_format::general, digits);
}

/// As "%.{decimals}f" has it in the C locale.
inline std::string fixed_text(double value, int decimals) {
  return detail::number_text(value, std::chars_format::fixed, decimals);
}

}  // namespace crossfix
