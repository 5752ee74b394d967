#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace crossfix::pipeline {

/// One record of a CSV text, with the line it starts on (from 1).
struct CsvRecord {
  std::size_t line = 0;
  std::vector<std::string> fields;
};

/// Splits RFC 4180 text: commas, fields quoted by `"` with `""` for a quote inside, LF or CRLF.
/// Blanks about a field are no part of it, unless it is quoted. Lines of nothing but blanks and
/// commas are skipped, as Excel writes them for empty rows. `name` is the file's name, for
/// messages. Throws DataError "NAME:LINE: ..." for a quote that is not closed or is inside a field.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name);

}  // namespace crossfix::pipeline
