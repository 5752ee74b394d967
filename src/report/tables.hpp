/// The report's tables as HTML.
#pragma once

#include <string>
#include <vector>

#include "report.hpp"

namespace crossfix::report {

/// A number as the tables show it: its unit decides the decimals, and shares become percentages. A
/// dash if there is no number.
std::string figure_text(const std::optional<double>& value, Unit unit);

/// The title and the columns, then a row's name and its cells without intervals, "6.72 / 2.68".
std::vector<std::vector<std::string>> text_rows(const Table& table);

/// Throws ShapeError where a row has another number of cells than the table has columns.
std::string table_markup(const Table& table);

/// Name, count and note; name and text. Empty if there are none.
std::string counts_markup(const std::vector<NamedCount>& counts);
std::string texts_markup(const std::vector<NamedText>& texts);

}  // namespace crossfix::report
