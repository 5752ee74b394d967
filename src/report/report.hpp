/// The report of an evaluation: its figures, and one HTML file made from them.
#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/sample.hpp"
#include "eval/nowhere.hpp"
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

/// A number of a table, with its interval if it is an estimate. A missing value is shown as a dash,
/// and NaN as NaN.
struct Figure {
  std::variant<std::monostate, double, eval::Estimate> value;
  Unit unit = Unit::metres;
  std::optional<double> deviation = {};  ///< standard deviation over runs, in the same unit
};

/// A row of figures, or of several to a cell ("mean / median").
struct TableRow {
  std::string name;
  std::vector<std::vector<Figure>> cells;
  bool main = false;  ///< highlighted
};

struct Table {
  std::string title;
  std::vector<std::string> columns;  ///< names with units, without the column of row names
  std::vector<TableRow> rows;
  std::string note;  ///< below the table; may be empty
};

struct Point {
  double x = 0;
  double y = 0;
};

inline bool is_finite(const Point& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

/// Points of ascending x.
struct Curve {
  std::string name;
  std::vector<Point> points;
  std::vector<eval::Estimate> intervals = {};  ///< of y, 95 %; none, or one a point
};

/// One of the best or worst pairs.
struct ShownPair {
  std::string title;  ///< name of the ground image
  std::vector<NamedText> facts;
  double error_m = 0;
  double radius68_m = 0;
  std::vector<Picture> pictures;  ///< shown side by side, equally high
};

struct Report {
  std::string title;
  std::string summary;                          ///< a sentence or two below the title
  std::vector<Table> tables;                    ///< the headline first
  data::Dataset dataset;                        ///< its warnings are shown first
  eval::Mode mode = eval::Mode::true_;          ///< the mode of charts, maps and pairs
  std::vector<eval::Measurement> measurements;  ///< of `mode`; their samples are in `dataset`
  eval::Uncertainty uncertainty;                ///< of these measurements
  eval::NowhereFigures nowhere;                 ///< of `mode`; without wrong pairs not shown
  std::string pairs_note;        ///< legend of the pictures' colours and marks; may be empty
  std::vector<ShownPair> best;   ///< the best first
  std::vector<ShownPair> worst;  ///< the worst first
  std::vector<NamedText> settings;
  std::vector<NamedCount> counts;
  std::vector<NamedText> definitions;  ///< see standard_definitions
};

/// The definitions of the figures. `reference_mode`: as the reference's scripts compute them.
std::vector<NamedText> standard_definitions(bool reference_mode);

/// The report as one HTML document. It needs no other file, no network and no script, and an XML
/// parser accepts it too. The same report gives the same text.
///
/// What cannot be drawn (samples without a drawable error, points of curves that are not finite) is
/// left out of the charts, and a warning in the document counts it. Throws ShapeError for a row
/// whose length differs from that of its table's columns.
std::string render(const Report& report);

/// Writes the report whole or not at all. Throws DataError if the path cannot be written.
void write(const std::filesystem::path& path, const Report& report);

}  // namespace crossfix::report
