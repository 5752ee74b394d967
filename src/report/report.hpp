/// The report of an evaluation: its figures, and one HTML file made of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/sample.hpp"
#include "eval/summary.hpp"
#include "eval/uncertainty.hpp"
#include "picture.hpp"

namespace crossfix::report {

struct NamedText {
  std::string name;
  std::string text;
};

struct NamedCount {
  std::string name;
  std::size_t count = 0;
  std::string note;  ///< why, or what was done about it; may be empty
};

/// Shares are from 0 to 1 and shown as percentages.
enum class Unit { metres, degrees, pixels, share, count, plain };

/// A number of a table, with its interval where it is an estimate. Without a value it is shown as a
/// dash, and NaN as NaN.
struct Figure {
  std::variant<std::monostate, double, eval::Estimate> value;
  Unit unit = Unit::metres;
  std::optional<double> deviation = {};  ///< standard deviation over runs, same unit
};

/// A row of figures, or of several to a cell ("mean / median").
struct TableRow {
  std::string name;
  std::vector<std::vector<Figure>> cells;
  bool main = false;  ///< set off from the others
};

struct Table {
  std::string title;
  std::vector<std::string> columns;  ///< names with units, without the rows' names
  std::vector<TableRow> rows;
  std::string note;  ///< below the table; may be empty
};

struct Point {
  double x = 0;
  double y = 0;
};

/// Points by ascending x.
struct Curve {
  std::string name;
  std::vector<Point> points;
  std::vector<eval::Estimate> intervals = {};  ///< of y, 95 %; none, or one a point
};

/// One of the best or worst pairs.
struct ShownPair {
  std::string title;  ///< the ground image's name
  std::vector<NamedText> facts;
  double error_m = 0;
  double radius68_m = 0;
  std::vector<Picture> pictures;  ///< shown side by side, equally high
};

struct Report {
  std::string title;
  std::string summary;                          ///< a sentence or two below the title
  std::vector<Table> tables;                    ///< the headline first
  data::Dataset dataset;                        ///< its warnings stand above all
  eval::Mode mode = eval::Mode::true_;          ///< that charts, maps and pairs are of
  std::vector<eval::Measurement> measurements;  ///< of `mode`; their samples are in `dataset`
  eval::Uncertainty uncertainty;                ///< of these measurements
  std::string pairs_note;        ///< what the pictures' colours and marks mean; may be empty
  std::vector<ShownPair> best;   ///< the best first
  std::vector<ShownPair> worst;  ///< the worst first
  std::vector<NamedText> settings;
  std::vector<NamedCount> counts;
  std::vector<NamedText> definitions;  ///< see standard_definitions
};

/// How the figures are defined. `reference_mode`: as the reference's scripts compute them.
std::vector<NamedText> standard_definitions(bool reference_mode);

/// The report as one HTML document that needs no other file, no network and no script, and that an
/// XML parser takes too. The same report gives the same text.
///
/// What cannot be drawn (samples without a drawable error, points of curves that are not finite) is
/// left out of the charts, and a warning in the document counts it. Throws ShapeError for a row of
/// another length than its table's columns.
std::string render(const Report& report);

/// Writes it whole or not at all. Throws DataError where the path cannot be written.
void write(const std::filesystem::path& path, const Report& report);

}  // namespace crossfix::report
