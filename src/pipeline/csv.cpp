#include "csv.hpp"

#include <algorithm>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"

namespace crossfix::pipeline {
namespace {

/// Walks a text once; `line_` counts the line feeds that it has passed.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool done() const { return at_ == text_.size(); }

  CsvRecord record() {
    CsvRecord record{line_, {}};
    do {
      skip_blanks();
      record.fields.push_back(peek() == '"' ? quoted_field() : plain_field());
      skip_blanks();
    } while (take(','));
    take('\r');
    if (!done() && !take('\n')) fail("text after a closing quote; a comma should follow");
    ++line_;
    return record;
  }

 private:
  char peek() const { return done() ? '\n' : text_[at_]; }

  void skip_blanks() {
    while (!done() && (peek() == ' ' || peek() == '\t')) ++at_;
  }

  bool take(char wanted) {
    if (done() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::string plain_field() {
    const std::size_t begin = at_;
    while (!done() && peek() != ',' && peek() != '\n' && text_.substr(at_, 2) != "\r\n") {
      if (peek() == '"') fail("a quote inside a field that does not begin with one");
      ++at_;
    }
    return std::string(without_blanks(text_.substr(begin, at_ - begin)));
  }

  std::string quoted_field() {
    const std::size_t first_line = line_;
    std::string field;
    take('"');
    while (!done()) {
      const char c = text_[at_++];
      if (c == '"' && !take('"')) return field;
      if (c == '\n') ++line_;
      field += c;
    }
    line_ = first_line;
    fail("a quote that is never closed");
  }

  [[noreturn]] void fail(const char* what) const {
    throw DataError(name_ + ":" + std::to_string(line_) + ": " + what);
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name) {
  std::vector<CsvRecord> records;
  CsvReader reader(text, name);
  while (!reader.done()) {
    CsvRecord record = reader.record();
    const bool empty = std::all_of(record.fields.begin(), record.fields.end(),
                                   [](const std::string& field) { return field.empty(); });
    if (!empty) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace crossfix::pipeline
