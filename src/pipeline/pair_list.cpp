#include "pair_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include "crossfix/core/error.hpp"
#include "csv.hpp"

namespace crossfix::pipeline {
namespace {

enum Column : std::size_t { kGround, kSatellite, kRow, kCol, kGsd, kColumns };
constexpr std::array<std::string_view, kColumns> kNames{"ground", "satellite", "row", "col", "gsd"};

/// The index of each column in a record.
using Columns = std::array<std::optional<std::size_t>, kColumns>;

/// Throws the error for one record.
struct Complaint {
  std::string file;
  std::size_t line;

  [[noreturn]] void operator()(const std::string& what) const {
    throw DataError(file + ":" + std::to_string(line) + ": " + what);
  }
};

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw DataError(file.string() + ": cannot be opened; a CSV list of pairs is expected");
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

Columns read_header(const CsvRecord& header, const Complaint& complain) {
  Columns columns{};
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto known = std::find(kNames.begin(), kNames.end(), header.fields[i]);
    if (known == kNames.end()) {
      complain("unknown column '" + header.fields[i] +
               "'; the header is ground,satellite[,row,col][,gsd]");
    }
    auto& column_index = columns[static_cast<std::size_t>(known - kNames.begin())];
    if (column_index) complain("column '" + header.fields[i] + "' stands twice");
    column_index = i;
  }
  if (!columns[kGround] || !columns[kSatellite]) {
    complain("the header lacks 'ground' or 'satellite': ground,satellite[,row,col][,gsd]");
  }
  if (columns[kRow].has_value() != columns[kCol].has_value()) {
    complain("the header has one of 'row' and 'col'; the truth needs both");
  }
  return columns;
}

/// The number in a column; empty if the column or its text is missing.
std::optional<double> number(const CsvRecord& record, const Columns& columns, Column column,
                             const Complaint& complain) {
  if (!columns[column]) return {};
  const std::string& text = record.fields[*columns[column]];
  if (text.empty()) return {};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    complain(std::string(kNames[column]) + " is '" + text + "', which is no number");
  }
  return value;
}

PairEntry read_entry(const CsvRecord& record, const Columns& columns,
                     const std::filesystem::path& folder, const Complaint& complain) {
  const auto path = [&](Column column) {
    const std::string& text = record.fields[*columns[column]];
    if (text.empty()) complain("no path under '" + std::string(kNames[column]) + "'");
    return folder / text;
  };
  PairEntry entry{record.line, path(kGround), path(kSatellite), {}, {}};
  const auto row = number(record, columns, kRow, complain);
  const auto col = number(record, columns, kCol, complain);
  if (row.has_value() != col.has_value()) complain("one of 'row' and 'col' is empty");
  if (row) entry.truth = PixelPoint{*row, *col};
  entry.metres_per_pixel = number(record, columns, kGsd, complain);
  if (entry.metres_per_pixel && *entry.metres_per_pixel <= 0) {
    complain("gsd must be metres per pixel, above 0");
  }
  return entry;
}

}  // namespace

std::vector<PairEntry> read_pair_list(const std::filesystem::path& file) {
  const std::vector<CsvRecord> records = parse_csv(read_text(file), file.string());
  if (records.empty()) throw DataError(file.string() + ":1: empty; a header is expected");
  const Columns columns = read_header(records.front(), {file.string(), records.front().line});
  std::vector<PairEntry> entries;
  for (auto record = records.begin() + 1; record != records.end(); ++record) {
    const Complaint complain{file.string(), record->line};
    if (record->fields.size() != records.front().fields.size()) {
      complain(std::to_string(record->fields.size()) + " fields where the header has " +
               std::to_string(records.front().fields.size()));
    }
    entries.push_back(read_entry(*record, columns, file.parent_path(), complain));
  }
  return entries;
}

}  // namespace crossfix::pipeline
