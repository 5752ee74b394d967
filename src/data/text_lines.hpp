#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace crossfix::data {

/// Walks the lines of a text file (`io::as_text`), split at blanks. Lines end in LF or CRLF; the
/// last one may end in nothing. Lines without a field are skipped. Fields point into this object.
class TextLines {
 public:
  /// `what` says what the file should be, for the message. Throws DataError if it cannot be read.
  TextLines(std::filesystem::path file, const std::string& what);
  TextLines(const TextLines&) = delete;
  TextLines& operator=(const TextLines&) = delete;

  /// Goes to the next line that has fields; false at the end.
  bool next();

  const std::vector<std::string_view>& fields() const { return fields_; }
  std::size_t line() const { return line_; }  ///< from 1

  /// Field `index` as the name of a file below the data set's root. Throws DataError if it is
  /// absolute or goes up ("..").
  std::string name(std::size_t index) const;

  /// Field `index` as a finite number; `what` names it in messages. Throws DataError.
  double number(std::size_t index, std::string_view what) const;

  /// The same for a number from -most to most.
  double number_within(std::size_t index, std::string_view what, double most) const;

  /// Throws DataError "FILE:LINE: what".
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::filesystem::path file_;
  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::vector<std::string_view> fields_;
};

}  // namespace crossfix::data
