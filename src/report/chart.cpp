#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "crossfix/core/error.hpp"

namespace crossfix::report {

namespace {

constexpr double kRightMargin = 20;
constexpr double kTopMargin = 10;
constexpr double kBottomMargin = 48;
constexpr double kLegendRow = 20;
constexpr double kKeyWidth = 30;  ///< the sample line of a legend entry, with the gap after it
constexpr double kTickEvery = 62;
constexpr double kDecadeTickEvery = 38;  ///< their labels are short
constexpr double kHintEvery = 14;
constexpr double kMarkRadius = 4.5;

std::string style_class(std::string_view kind, int style) {
  return std::string(kind) + "-" + std::to_string(style % kSeriesStyles);
}

std::string path_of(const std::vector<Point>& points) {
  std::string path;
  for (const Point& point : points) {
    path += (path.empty() ? "M" : "L") + coordinate(point.x) + " " + coordinate(point.y);
  }
  return path;
}

/// Shows `point`'s hint when the pointer is on its `svg` element.
void hinted(Markup& out, std::string_view tag, Attributes attributes, std::string_view hint) {
  out.open(tag, attributes).element("title", hint).close();
}

}  // namespace

std::vector<Point> thinned(const std::vector<Point>& points, double width, int columns) {
  std::vector<Point> kept;
  for (std::size_t begin = 0; begin < points.size();) {
    const auto column = [&](std::size_t i) { return std::floor(points[i].x / width * columns); };
    std::size_t end = begin + 1;
    std::size_t lowest = begin;
    std::size_t highest = begin;
    for (; end < points.size() && column(end) == column(begin); ++end) {
      if (points[end].y < points[lowest].y) lowest = end;
      if (points[end].y > points[highest].y) highest = end;
    }
    std::array<std::size_t, 4> keep{begin, lowest, highest, end - 1};
    std::sort(keep.begin(), keep.end());
    const auto* const last = std::unique(keep.begin(), keep.end());
    for (const auto* i = keep.begin(); i != last; ++i) kept.push_back(points[*i]);
    begin = end;
  }
  return kept;
}

double text_width(std::string_view text) {
  constexpr double kCharacter = 6.7;
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; };
  return kCharacter * static_cast<double>(std::count_if(text.begin(), text.end(), begins));
}

Chart::Chart(ChartFrame frame, Axis x, Axis y)
    : frame_(std::move(frame)), x_(std::move(x)), y_(std::move(y)) {
  plot_height_ = frame_.height - kTopMargin - kBottomMargin;
  y_.choose_ticks(static_cast<int>(plot_height_ / 44));
  y_labels_ = y_.tick_labels();
  double widest = 0;
  for (const std::string& label : y_labels_) widest = std::max(widest, text_width(label));
  constexpr double kAxisTitle = 32;
  left_ = kAxisTitle + widest;
  plot_width_ = frame_.width - left_ - kRightMargin;
  const bool decades = x_.spacing == Spacing::logarithmic;
  x_.choose_ticks(static_cast<int>(plot_width_ / (decades ? kDecadeTickEvery : kTickEvery)));
  x_labels_ = x_.tick_labels();
}

std::string Chart::upright(double x) const {
  return "M" + coordinate(x_at(x)) + " 0V" + coordinate(plot_height_);
}

std::string Chart::level(double y) const {
  return "M0 " + coordinate(y_at(y)) + "H" + coordinate(plot_width_);
}

void Chart::add_to_legend(Key key, int style, std::string_view name) {
  if (name.empty()) return;
  constexpr double kGap = 16;
  LegendEntry entry{key, style, std::string(name), 0, 0};
  if (!legend_.empty()) {
    const LegendEntry& last = legend_.back();
    entry.left = last.left + kKeyWidth + text_width(last.name) + kGap;
    entry.row = last.row;
    if (entry.left + kKeyWidth + text_width(name) > plot_width_ + kRightMargin) {
      entry.left = 0;
      ++entry.row;
    }
  }
  legend_.push_back(std::move(entry));
}

void Chart::line(int style, const Curve& curve) {
  if (!curve.intervals.empty() && curve.intervals.size() != curve.points.size()) {
    throw ShapeError("curve '" + curve.name + "' has " + std::to_string(curve.points.size()) +
                     " points and " + std::to_string(curve.intervals.size()) +
                     " intervals; none, or one a point, is taken");
  }
  std::vector<Point> points;
  std::vector<Point> lows;
  std::vector<Point> highs;
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    const Point& point = curve.points[i];
    if (!is_finite(point)) continue;
    points.push_back({x_at(point.x), y_at(point.y)});
    if (curve.intervals.empty()) continue;
    const eval::Estimate& interval = curve.intervals[i];
    if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) continue;
    lows.push_back({x_at(point.x), y_at(interval.low)});
    highs.push_back({x_at(point.x), y_at(interval.high)});
  }
  if (points.empty()) return;
  const auto thin = [&](const std::vector<Point>& all) {
    return thinned(all, plot_width_, static_cast<int>(plot_width_));
  };
  if (lows.size() > 1) {
    std::vector<Point> outline = thin(lows);
    const std::vector<Point> upper = thin(highs);
    outline.insert(outline.end(), upper.rbegin(), upper.rend());
    body_.leaf("path",
               {{"class", "band " + style_class("fill", style)}, {"d", path_of(outline) + "Z"}});
  }
  points = thin(points);
  if (points.size() == 1) {
    body_.leaf("circle", {{"class", style_class("fill", style)},
                          {"cx", coordinate(points[0].x)},
                          {"cy", coordinate(points[0].y)},
                          {"r", coordinate(kMarkRadius)}});
  } else {
    body_.leaf("path", {{"class", "line " + style_class("line", style)}, {"d", path_of(points)}});
  }
  add_to_legend(Key::line, style, curve.name);
  add_hints(style, curve);
}

void Chart::add_hints(int style, const Curve& curve) {
  double last = -kHintEvery;
  for (const Point& point : curve.points) {
    if (!is_finite(point) || x_at(point.x) - last < kHintEvery) continue;
    last = x_at(point.x);
    const std::string name = curve.name.empty() ? "" : curve.name + ": ";
    hinted(body_, "circle",
           {{"class", "hint " + style_class("fill", style)},
            {"cx", coordinate(x_at(point.x))},
            {"cy", coordinate(y_at(point.y))},
            {"r", "6"}},
           name + x_.reading(point.x) + ", " + y_.reading(point.y));
  }
}

void Chart::bars(int style, std::string_view name, const std::vector<Bar>& bars) {
  for (const Bar& bar : bars) {
    if (!is_finite({bar.from, bar.to}) || !std::isfinite(bar.height)) continue;
    const double gap = x_at(bar.to) - x_at(bar.from) > 4 ? 1 : 0;
    hinted(body_, "rect",
           {{"class", "bar " + style_class("fill", style)},
            {"x", coordinate(x_at(bar.from) + gap / 2)},
            {"y", coordinate(y_at(bar.height))},
            {"width", coordinate(std::max(0.5, x_at(bar.to) - x_at(bar.from) - gap))},
            {"height", coordinate(plot_height_ - y_at(bar.height))}},
           bar.hint);
  }
  add_to_legend(Key::fill, style, name);
}

void Chart::marks(int style, std::string_view name, const std::vector<Mark>& marks) {
  for (const Mark& mark : marks) {
    if (!is_finite(mark.at)) continue;
    const double x = x_at(mark.at.x);
    body_.open("g");
    if (mark.interval && is_finite({mark.interval->low, mark.interval->high})) {
      constexpr double kFoot = 4;
      std::string path;
      for (const double end : {mark.interval->low, mark.interval->high}) {
        path.append("M").append(coordinate(x)).append(" ").append(coordinate(y_at(mark.at.y)));
        path.append("V").append(coordinate(y_at(end)));
        path.append("m").append(coordinate(-kFoot)).append(" 0h").append(coordinate(2 * kFoot));
      }
      body_.leaf("path", {{"class", "whisker " + style_class("line", style)}, {"d", path}});
    }
    body_.leaf("circle", {{"class", style_class("fill", style)},
                          {"cx", coordinate(x)},
                          {"cy", coordinate(y_at(mark.at.y))},
                          {"r", coordinate(kMarkRadius)}});
    body_.element("title", mark.hint).close();
  }
  add_to_legend(Key::mark, style, name);
}

void Chart::guides(Along along, int style, std::string_view name,
                   const std::vector<double>& values) {
  const Axis& axis = along == Along::y ? x_ : y_;
  std::string path;
  for (const double value : values) {
    if (!(value >= axis.low && value <= axis.high)) continue;
    path += along == Along::y ? upright(value) : level(value);
  }
  if (path.empty()) return;
  body_.leaf("path", {{"class", "guide guide-" + std::to_string(style % 2)}, {"d", path}});
  add_to_legend(Key::guide, style % 2, name);
}

void Chart::diagonal(std::string_view name) {
  body_.leaf("path",
             {{"class", "guide guide-0"},
              {"d", "M0 " + coordinate(plot_height_) + "L" + coordinate(plot_width_) + " 0"}});
  add_to_legend(Key::guide, 0, name);
}

void Chart::draw_axes(Markup& out) const {
  std::string grid;
  for (const double tick : x_.ticks) grid += upright(tick);
  for (const double tick : y_.ticks) grid += level(tick);
  out.leaf("path", {{"class", "grid-lines"}, {"d", grid}});
  for (std::size_t i = 0; i < x_.ticks.size(); ++i) {
    out.element("text", x_labels_[i],
                {{"class", "tick middle"},
                 {"x", coordinate(x_at(x_.ticks[i]))},
                 {"y", coordinate(plot_height_ + 17)}});
  }
  for (std::size_t i = 0; i < y_.ticks.size(); ++i) {
    out.element("text", y_labels_[i],
                {{"class", "tick end"}, {"x", "-7"}, {"y", coordinate(y_at(y_.ticks[i]) + 4)}});
  }
  out.element("text", x_.label,
              {{"class", "middle"},
               {"x", coordinate(plot_width_ / 2)},
               {"y", coordinate(plot_height_ + 38)}});
  out.element("text", y_.label,
              {{"class", "middle"},
               {"transform", "translate(" + coordinate(14 - left_) + " " +
                                 coordinate(plot_height_ / 2) + ") rotate(-90)"}});
}

void Chart::draw_key(Markup& out, const LegendEntry& entry) const {
  const double x = left_ + entry.left;
  const double y = 12 + kLegendRow * entry.row;
  const std::string stroke = "M" + coordinate(x) + " " + coordinate(y) + "h24";
  switch (entry.key) {
    case Key::line:
      out.leaf("path", {{"class", "line " + style_class("line", entry.style)}, {"d", stroke}});
      break;
    case Key::guide:
      out.leaf("path", {{"class", "guide guide-" + std::to_string(entry.style)}, {"d", stroke}});
      break;
    case Key::fill:
      out.leaf("rect", {{"class", style_class("fill", entry.style)},
                        {"x", coordinate(x + 6)},
                        {"y", coordinate(y - 6)},
                        {"width", "12"},
                        {"height", "12"}});
      break;
    case Key::mark:
      out.leaf("circle", {{"class", style_class("fill", entry.style)},
                          {"cx", coordinate(x + 12)},
                          {"cy", coordinate(y)},
                          {"r", coordinate(kMarkRadius)}});
  }
  out.element("text", entry.name, {{"x", coordinate(x + kKeyWidth)}, {"y", coordinate(y + 4)}});
}

std::string Chart::svg() const {
  const double top = kTopMargin + (legend_.empty() ? 0 : 4 + kLegendRow * (legend_.back().row + 1));
  const double height = frame_.height - kTopMargin + top;
  Markup out;
  out.open("svg", {{"class", "chart"},
                   {"viewBox", "0 0 " + coordinate(frame_.width) + " " + coordinate(height)},
                   {"width", coordinate(frame_.width)},
                   {"height", coordinate(height)},
                   {"role", "img"},
                   {"aria-label", frame_.title + ". " + frame_.description}});
  for (const LegendEntry& entry : legend_) draw_key(out, entry);
  out.open("g", {{"transform", "translate(" + coordinate(left_) + " " + coordinate(top) + ")"}});
  draw_axes(out);
  Markup body = body_;
  out.nested(body.take());
  out.leaf("path", {{"class", "axis"},
                    {"d", "M0 0V" + coordinate(plot_height_) + "H" + coordinate(plot_width_)}});
  return out.close().close().take();
}

}  // namespace crossfix::report
