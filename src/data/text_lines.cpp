#include "text_lines.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "io/file_text.hpp"

namespace crossfix::data {

TextLines::TextLines(std::filesystem::path file, const std::string& what)
    : file_(std::move(file)), text_(io::as_text(io::read_text(file_, what), file_)) {}

bool TextLines::next() {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  while (at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view rest = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    fields_.clear();
    while (true) {
      const std::size_t begin = rest.find_first_not_of(kBlanks);
      if (begin == std::string_view::npos) break;
      rest.remove_prefix(begin);
      const std::size_t length = std::min(rest.find_first_of(kBlanks), rest.size());
      fields_.push_back(rest.substr(0, length));
      rest.remove_prefix(length);
    }
    if (!fields_.empty()) return true;
  }
  return false;
}

std::string TextLines::name(std::size_t index) const {
  const std::filesystem::path path(fields_.at(index));
  const bool up = std::find(path.begin(), path.end(), "..") != path.end();
  if (up || path.is_absolute() || path.native().find('\0') != std::string::npos) {
    fail("'" + path.string() + "' leaves the folder of its data set; a name below it is expected");
  }
  return path.string();
}

double TextLines::number(std::size_t index, std::string_view what) const {
  const std::string_view field = fields_.at(index);
  const auto value = parse_number(field);
  if (!value) fail(std::string(what) + " is '" + std::string(field) + "'; a number is expected");
  return *value;
}

double TextLines::number_within(std::size_t index, std::string_view what, double most) const {
  const double value = number(index, what);
  if (std::abs(value) <= most) return value;
  fail(std::string(what) + " is '" + std::string(fields_.at(index)) + "'; " +
       general_text(-most, 6) + " to " + general_text(most, 6) + " is expected");
}

void TextLines::fail(const std::string& what) const {
  throw DataError(file_.string() + ":" + std::to_string(line_) + ": " + what);
}

}  // namespace crossfix::data
