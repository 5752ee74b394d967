/// The report of an evaluation: plain data, and one HTML file made of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crossfix/core/geometry.hpp"
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

struct Interval {
  double low = 0;
  double high = 0;
};

/// Shares are from 0 to 1 and shown as percentages.
enum class Unit { metres, pixels, share, count, plain };

/// A number of a table. Without a value it is shown as a dash, and NaN as NaN.
struct Figure {
  std::optional<double> value;
  Unit unit = Unit::metres;
  std::optional<Interval> interval = {};  ///< 95 %, same unit
  std::optional<double> deviation = {};   ///< standard deviation over runs, same unit
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
  std::vector<Interval> intervals = {};  ///< of y, 95 %; none, or one a point
};

/// A fifth (or other part) of the samples, by their radius.
struct RadiusGroup {
  double radius_low_m = 0;
  double radius_high_m = 0;
  std::size_t samples = 0;
  double observed = 0;  ///< share of truths within the radius, 0 to 1
  std::optional<Interval> interval = {};
  double mean_error_m = 0;
};

/// Metres in a frame of the city's own.
struct PlanePoint {
  double east = 0;
  double north = 0;
};

/// Where a sample's truth lies.
using Place = std::variant<std::monostate, GeoPoint, PlanePoint>;

struct Sample {
  std::string name;  ///< of the ground image, for the pointer
  std::string city;  ///< or run
  double error_m = 0;
  double radius68_m = 0;
  Place place = {};
  std::optional<PixelPoint> tile_share = {};  ///< the truth in the tile, 0 to 1 of its sides

  /// Whether the error is one that a chart can show.
  bool drawable() const { return std::isfinite(error_m) && error_m >= 0; }
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
  std::string summary;  ///< a sentence or two below the title
  std::vector<std::string> warnings;
  std::vector<Table> tables;  ///< the headline first
  /// Share of samples, 0 to 1, whose error is at most x metres; one curve a city or for all.
  std::vector<Curve> cumulative_error;
  std::vector<double> recall_metres{1, 3, 5};  ///< marked on the cumulative curves
  /// Error in metres over the share kept, 0 to 1, of the most certain samples.
  std::vector<Curve> risk_coverage;
  /// Share of truths found within a radius that promises the share x; both 0 to 1.
  std::vector<Curve> reliability;
  double nominal = 0.68;  ///< the share that the groups' radii promise
  std::vector<RadiusGroup> radius_groups;
  std::vector<Sample> samples;   ///< for the histogram and the maps
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
/// left out of the charts, and a warning in the document counts it. Throws ShapeError where parts do not fit together: a row
/// of another length than its table's columns, intervals that are not one a point.
std::string render(const Report& report);

/// Writes it whole or not at all. Throws DataError where the place cannot be written.
void write(const std::filesystem::path& path, const Report& report);

}  // namespace crossfix::report
