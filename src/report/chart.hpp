/// Line, bar and point charts as inline SVG. Colours are classes of the report's style sheet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "markup.hpp"
#include "report.hpp"
#include "scale.hpp"

namespace crossfix::report {

/// Series colours of the style sheet: `.line-0`, `.fill-0` and so on. Each line has its own dash
/// pattern. Guides have two patterns: `.guide-0`, `.guide-1`.
inline constexpr int kSeriesStyles = 6;

/// The direction of straight reference lines.
enum class Along { x, y };

struct ChartFrame {
  std::string title;        ///< for readers who do not see the picture
  std::string description;  ///< the same: what the chart shows, in a sentence
  double width = 560;       ///< CSS pixels
  double height = 320;      ///< the same, without the legend
};

/// Later additions are drawn on top. Points that are not finite are left out.
class Chart {
 public:
  Chart(ChartFrame frame, Axis x, Axis y);

  /// A line through points of ascending x, with a band if the curve has intervals. An unnamed curve
  /// is not in the legend. Throws ShapeError if the curve has intervals, but not one for each
  /// point.
  void line(int style, const Curve& curve);

  /// A bar from 0 to `height`, with a text that the pointer shows.
  struct Bar {
    double from = 0;
    double to = 0;
    double height = 0;
    std::string hint;
  };
  void bars(int style, std::string_view name, const std::vector<Bar>& bars);

  /// A dot, with a whisker if it has an interval.
  struct Mark {
    Point at;
    std::optional<eval::Estimate> interval;
    std::string hint;
  };
  void marks(int style, std::string_view name, const std::vector<Mark>& marks);

  /// Straight lines across the chart: at x = each value (Along::y), or y = each value (Along::x).
  void guides(Along along, int style, std::string_view name, const std::vector<double>& values);
  /// The line from corner to corner, to compare a measured share with a promised one.
  void diagonal(std::string_view name);

  /// The whole `svg` element.
  std::string svg() const;

 private:
  enum class Key { line, fill, mark, guide };
  struct LegendEntry {
    Key key;
    int style;
    std::string name;
    double left;  ///< of the plot, pixels
    int row;
  };

  double x_at(double value) const { return x_.fraction(value) * plot_width_; }
  double y_at(double value) const { return (1 - y_.fraction(value)) * plot_height_; }
  /// Parts of a path: a line across the plot at a value.
  std::string upright(double x) const;
  std::string level(double y) const;
  void add_hints(int style, const Curve& curve);
  void add_to_legend(Key key, int style, std::string_view name);
  void draw_axes(Markup& out) const;
  void draw_key(Markup& out, const LegendEntry& entry) const;

  ChartFrame frame_;
  Axis x_;
  Axis y_;
  std::vector<std::string> x_labels_;
  std::vector<std::string> y_labels_;
  double left_ = 0;  ///< margin for the labels of the y axis
  double plot_width_ = 0;
  double plot_height_ = 0;
  Markup body_;
  std::vector<LegendEntry> legend_;
};

/// At most four points for each of `columns` equal parts of x from 0 to `width`: the first, lowest,
/// highest and last. A line through them looks like a line through all points.
std::vector<Point> thinned(const std::vector<Point>& points, double width, int columns);

/// Approximate width of text of the charts' size, CSS pixels.
double text_width(std::string_view text);

}  // namespace crossfix::report
