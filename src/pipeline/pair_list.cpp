#include "pair_list.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/io/file_kind.hpp"
#include "crossfix/io/georeference.hpp"
#include "csv.hpp"
#include "io/file_text.hpp"

namespace crossfix::pipeline {
namespace {

/// Columns by number. Those of kCameraOptions follow.
enum Column : std::size_t {
  kGround,
  kSatellite,
  kRow,
  kCol,
  kGsd,
  kBounds,
  kCamera,
  kHeading,
  kFirstOption
};

std::vector<std::string> make_names() {
  std::vector<std::string> names{"ground", "satellite", "row", "col", "gsd", "bounds"};
  names.push_back(name_of(kCameraFileOption, Words::columns));
  names.push_back(name_of(kHeadingOption, Words::columns));
  for (const CameraOption& option : kCameraOptions) {
    names.push_back(name_of(option.name, Words::columns));
  }
  return names;
}
const std::vector<std::string>& names() {
  static const std::vector<std::string> all = make_names();
  return all;
}

/// The index of each column in a record.
using Columns = std::vector<std::optional<std::size_t>>;

/// Throws the error for one record.
struct Complaint {
  std::string file;
  std::size_t line;

  [[noreturn]] void operator()(const std::string& what) const {
    throw DataError(file + ":" + std::to_string(line) + ": " + what);
  }
};

/// What a path of the list starts at. An open descriptor (/dev/stdin, /dev/fd/63) is in no folder.
std::filesystem::path folder_of(const std::filesystem::path& file) {
  std::filesystem::path folder = file.parent_path();
  const bool descriptor = folder == "/dev" || folder == "/dev/fd" ||
                          (folder.string().starts_with("/proc/") && folder.filename() == "fd");
  if (descriptor) folder.clear();
  return folder;
}

Columns read_header(const CsvRecord& header, const Complaint& complain) {
  Columns columns(names().size());
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const auto known = std::find(names().begin(), names().end(), header.fields[i]);
    if (known == names().end()) {
      for (const char* separator : {";", "\t"}) {
        if (header.fields[i].find(separator) == std::string::npos) continue;
        complain(std::string("columns are separated by ") +
                 (*separator == ';' ? "semicolons" : "tabs") +
                 " here; commas are expected, with a point in numbers");
      }
      complain("unknown column '" + header.fields[i] + "'; the header is " + pair_columns());
    }
    auto& column_index = columns[static_cast<std::size_t>(known - names().begin())];
    if (column_index) complain("column '" + header.fields[i] + "' stands twice");
    column_index = i;
  }
  if (!columns[kGround] || !columns[kSatellite]) {
    complain("the header lacks 'ground' or 'satellite': " + pair_columns());
  }
  if (columns[kRow].has_value() != columns[kCol].has_value()) {
    complain("the header has one of 'row' and 'col'; the truth needs both");
  }
  return columns;
}

/// Leaves out empty fields that a record has beyond `columns`: Excel writes them for columns
/// without a name.
void cut_empty_end(CsvRecord& record, std::size_t columns) {
  while (record.fields.size() > columns && record.fields.back().empty()) record.fields.pop_back();
}

/// What stands in a column; empty if the column or its text is missing.
std::string text_in(const CsvRecord& record, const Columns& columns, std::size_t column) {
  return columns[column] ? record.fields[*columns[column]] : std::string();
}

/// The number there; empty if there is none.
std::optional<double> number(const CsvRecord& record, const Columns& columns, std::size_t column,
                             const Complaint& complain) {
  const std::string text = text_in(record, columns, column);
  if (text.empty()) return {};
  const auto value = parse_number(text);
  if (!value) complain(names()[column] + " is '" + text + "', which is no number");
  return value;
}

CameraChoice read_camera(const CsvRecord& record, const Columns& columns,
                         const std::filesystem::path& folder, const Complaint& complain) {
  CameraChoice choice;
  const std::string file = text_in(record, columns, kCamera);
  if (!file.empty()) choice.file = folder / file;
  const std::string heading = text_in(record, columns, kHeading);
  try {
    if (!heading.empty()) choice.heading_degrees = parse_heading(heading);
  } catch (const DataError& error) {
    complain(names()[kHeading] + " is '" + heading + "'; " + error.what());
  }
  std::size_t column = kFirstOption;
  for (const CameraOption& option : kCameraOptions) {
    choice.*option.field = number(record, columns, column++, complain);
  }
  return choice;
}

PairEntry read_entry(const CsvRecord& record, const Columns& columns,
                     const std::filesystem::path& folder, const Complaint& complain) {
  const auto path = [&](Column column) {
    const std::string& text = record.fields[*columns[column]];
    if (text.empty()) complain("no path under '" + names()[column] + "'");
    return folder / text;
  };
  PairEntry entry{record.line, path(kGround), path(kSatellite), {}, {}, {}, {}, {}};
  const auto row = number(record, columns, kRow, complain);
  const auto col = number(record, columns, kCol, complain);
  if (row.has_value() != col.has_value()) complain("one of 'row' and 'col' is empty");
  if (row) entry.truth = PixelPoint{*row, *col};
  entry.metres_per_pixel = number(record, columns, kGsd, complain);
  if (entry.metres_per_pixel) {
    if (const auto flaw = flaw_of_tile_scale(*entry.metres_per_pixel)) complain("gsd " + *flaw);
  }
  const std::string bounds = text_in(record, columns, kBounds);
  try {
    if (!bounds.empty()) entry.bounds = io::parse_bounds(bounds);
  } catch (const DataError& error) {
    complain(error.what());
  }
  return entry;
}

}  // namespace

TileInfo PairEntry::tile(const TileInfo& otherwise) const {
  TileInfo info = otherwise;
  if (metres_per_pixel || bounds) info.metres_per_pixel = metres_per_pixel;
  if (bounds) info.bounds = bounds;
  return info;
}

std::string pair_columns() {
  std::string text = "ground,satellite[,row,col]";
  for (std::size_t column = kGsd; column < names().size(); ++column) {
    text += "[," + names()[column] + "]";
  }
  return text;
}

std::string read_list(const std::filesystem::path& file) {
  constexpr const char* kExpected = "a CSV list of pairs";
  // Standard input may be a socket, that has no path.
  std::string text = file == kStandardInput ? io::read_to_end(STDIN_FILENO, file)
                                            : io::read_stream(file, kExpected);
  if (const auto kind = io::kind_of_file(text)) {
    throw DataError(file.string() + ": is " + kind->text() + "; " + kExpected + " is expected");
  }
  return io::as_text(std::move(text), file);
}

std::vector<PairEntry> parse_pair_list(const std::string& text, const std::filesystem::path& file,
                                       const CameraChoice& options) {
  CameraFiles cameras;
  if (!options.file.empty()) cameras.read(options.file);  // its flaws are of no line
  std::vector<CsvRecord> records = parse_csv(text, file.string());
  if (records.empty()) throw DataError(file.string() + ":1: empty; a header is expected");
  cut_empty_end(records.front(), 0);
  const Columns columns = read_header(records.front(), {file.string(), records.front().line});
  if (records.size() == 1) {
    Complaint{file.string(), records.front().line}("no pair follows the header");
  }
  std::vector<PairEntry> entries;
  for (auto record = records.begin() + 1; record != records.end(); ++record) {
    const Complaint complain{file.string(), record->line};
    cut_empty_end(*record, records.front().fields.size());
    if (record->fields.size() != records.front().fields.size()) {
      complain(std::to_string(record->fields.size()) + " fields where the header has " +
               std::to_string(records.front().fields.size()));
    }
    const std::filesystem::path folder = folder_of(file);
    PairEntry& entry = entries.emplace_back(read_entry(*record, columns, folder, complain));
    const CameraChoice camera = read_camera(*record, columns, folder, complain);
    entry.camera_file = camera.file;
    try {
      entry.camera = CheckedCamera(camera, options, cameras);
    } catch (const ChoiceError& error) {
      if (error.words() == Words::options) throw;
      complain(error.what());
    } catch (const DataError& error) {
      complain(error.what());
    }
  }
  return entries;
}

}  // namespace crossfix::pipeline
