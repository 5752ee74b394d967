#include "text_lines.hpp"

#include <algorithm>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "text_file.hpp"

namespace crossfix::data {

TextLines::TextLines(std::filesystem::path file, const std::string& what)
    : file_(std::move(file)), text_(read_text(file_, what)) {}

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

double TextLines::number(std::size_t index, std::string_view what) const {
  const std::string_view field = fields_.at(index);
  const auto value = parse_number(field);
  if (!value) fail(std::string(what) + " is '" + std::string(field) + "'; a number is expected");
  return *value;
}

void TextLines::fail(const std::string& what) const {
  throw DataError(file_.string() + ":" + std::to_string(line_) + ": " + what);
}

}  // namespace crossfix::data
