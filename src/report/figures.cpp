#include "figures.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>

#include "chart.hpp"
#include "markup.hpp"
#include "scale.hpp"

namespace crossfix::report {

namespace {

/// The unit after a number, on the same line.
constexpr const char* kMetres = "\u00A0m";

bool finite(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

bool has_points(const std::vector<Curve>& curves) {
  return std::any_of(curves.begin(), curves.end(), [](const Curve& curve) {
    return std::any_of(curve.points.begin(), curve.points.end(), finite);
  });
}

/// An axis for shares from 0 to 1, in percent.
Axis share_axis(std::string label) {
  Axis axis;
  axis.label = std::move(label) + " (%)";
  axis.unit = " %";
  axis.factor = 100;
  return axis;
}

Axis metre_axis(std::string label, double high) {
  Axis axis;
  axis.label = std::move(label);
  axis.unit = " m";
  axis.high = high;
  return axis;
}

void add_lines(Chart& chart, const std::vector<Curve>& curves) {
  int style = 0;
  for (const Curve& curve : curves) chart.line(style++, curve);
}

std::string count_text(std::size_t count) { return readable(static_cast<double>(count), 0); }

/// The value below which `share` of `sorted` lie.
double quantile(const std::vector<double>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::ceil(share * last))];
}

/// Those that have samples; fewer samples than groups leave some without.
std::vector<RadiusGroup> filled_groups(const Report& report) {
  std::vector<RadiusGroup> groups;
  std::copy_if(report.radius_groups.begin(), report.radius_groups.end(), std::back_inserter(groups),
               [](const RadiusGroup& group) { return group.samples > 0; });
  return groups;
}

/// Equal bins from 0 on; what lies beyond them is counted apart.
struct Histogram {
  double width = 0;
  std::vector<std::size_t> counts;
  std::size_t beyond = 0;
  double end() const { return width * static_cast<double>(counts.size()); }
};

Histogram histogram(const std::vector<double>& sorted) {
  constexpr double kShown = 0.9;  // of the samples, at least; the others have a bar of their own
  constexpr double kBins = 40;
  const double most = quantile(sorted, kShown);
  Histogram result;
  constexpr double kLeast = 1e-6;  // metres; below, all errors are alike
  result.width = most > kLeast ? round_up(most / kBins) : 1;
  const auto bins = static_cast<std::size_t>(most / result.width) + 1;
  result.counts.assign(bins, 0);
  for (const double error : sorted) {
    const double bin = error / result.width;
    if (bin < static_cast<double>(bins)) {
      ++result.counts[static_cast<std::size_t>(bin)];
    } else {
      ++result.beyond;
    }
  }
  return result;
}

}  // namespace

std::vector<double> drawable_errors(const Report& report) {
  std::vector<double> errors;
  for (const Sample& sample : report.samples) {
    if (sample.drawable()) errors.push_back(sample.error_m);
  }
  std::sort(errors.begin(), errors.end());
  return errors;
}

FigureText cumulative_figure(const Report& report) {
  if (!has_points(report.cumulative_error)) return {};
  constexpr double kFirstShare = 0.005;  // the axis begins where the first curve has so many
  double most = 0;
  double least = 1e300;
  for (const Curve& curve : report.cumulative_error) {
    for (const Point& point : curve.points) {
      if (!finite(point)) continue;
      most = std::max(most, point.x);
      if (point.y >= kFirstShare && point.x > 0) least = std::min(least, point.x);
    }
  }
  for (const double recall : report.recall_metres) most = std::max(most, recall);
  Axis x = metre_axis("Error (m, logarithmic)", most > 0 ? round_up(most) : 1);
  x.spacing = Spacing::logarithmic;
  x.low = round_down(std::min(least, x.high / 100));
  Chart chart({"Cumulative error", "Share of samples over the error that they do not exceed."}, x,
              share_axis("Samples with at most this error"));
  std::string marked;
  for (const double recall : report.recall_metres) {
    marked += (marked.empty() ? "" : ", ") + coordinate(recall, 2);
  }
  add_lines(chart, report.cumulative_error);
  chart.guides(Along::y, 1, marked + " m", report.recall_metres);
  return {chart.svg(),
          "Cumulative error: where a curve crosses a dotted line is the recall there, where it "
          "crosses 50 % the median. The error's axis is logarithmic, so that all samples are on "
          "it."};
}

FigureText histogram_figure(const Report& report) {
  const std::vector<double> errors = drawable_errors(report);
  if (errors.empty()) return {};
  const Histogram bins = histogram(errors);
  const auto total = static_cast<double>(errors.size());
  const auto hint = [&](const std::string& range, std::size_t count) {
    return range + ": " + count_text(count) + " (" +
           readable(100 * static_cast<double>(count) / total, 1) + " %)";
  };
  std::vector<Chart::Bar> bars;
  std::size_t most = bins.beyond;
  for (std::size_t i = 0; i < bins.counts.size(); ++i) {
    const double low = bins.width * static_cast<double>(i);
    most = std::max(most, bins.counts[i]);
    bars.push_back({low, low + bins.width, static_cast<double>(bins.counts[i]),
                    hint(coordinate(low, 3) + " to " + coordinate(low + bins.width, 3) + " m",
                         bins.counts[i])});
  }
  // Room for the bar of the samples beyond, apart from the others.
  const double bar = std::max(2 * bins.width, bins.end() / 20);
  Axis x = metre_axis("Error (m)", bins.end() + (bins.beyond > 0 ? 2 * bar : 0));
  x.ticks = round_ticks(0, bins.end(), 7);
  const std::string end = coordinate(bins.end(), 3);
  if (bins.beyond > 0) {
    x.names = x.tick_labels();
    x.ticks.push_back(bins.end() + 1.5 * bar);
    x.names.push_back("≥ " + end);
  }
  Axis y;
  y.label = "Samples";
  y.high = round_end(static_cast<double>(most));
  y.smallest_step = 1;
  Chart chart({"Histogram of errors", "Number of samples by error."}, x, y);
  const std::string width = coordinate(bins.width, 3) + " m a bar";
  chart.bars(0, width, bars);
  if (bins.beyond > 0) {
    chart.bars(1, end + " m and more",
               {{bins.end() + bar, bins.end() + 2 * bar, static_cast<double>(bins.beyond),
                 hint(end + " m and more", bins.beyond)}});
  }
  const double mean = std::accumulate(errors.begin(), errors.end(), 0.0) / total;
  const double median = (errors[(errors.size() - 1) / 2] + errors[errors.size() / 2]) / 2;
  chart.guides(Along::y, 0, "median " + readable(median, 2) + " m", {median});
  if (mean <= bins.end()) chart.guides(Along::y, 1, "mean " + readable(mean, 2) + " m", {mean});
  std::string caption =
      "Errors of " + count_text(errors.size()) + (errors.size() == 1 ? " sample." : " samples.");
  if (bins.beyond > 0) {
    caption += " The bar on the right holds all from " + end + kMetres + " on, up to " +
               readable(errors.back(), 1) + kMetres + ".";
  }
  return {chart.svg(), caption};
}

FigureText risk_figure(const Report& report) {
  if (!has_points(report.risk_coverage)) return {};
  double most = 0;
  for (const Curve& curve : report.risk_coverage) {
    for (const Point& point : curve.points) {
      if (finite(point)) most = std::max(most, point.y);
    }
  }
  Chart chart({"Risk and coverage", "Error of the most certain samples over the share kept."},
              share_axis("Samples kept, the most certain first"),
              metre_axis("Error of those kept (m)", round_end(most)));
  add_lines(chart, report.risk_coverage);
  return {chart.svg(),
          "Risk and coverage: the error when only the most certain samples are kept. The more a "
          "curve falls towards the left, the more the radii tell of the errors."};
}

FigureText reliability_figure(const Report& report) {
  if (!has_points(report.reliability)) return {};
  ChartFrame frame{"Reliability", "Share of truths within the radius, over the share promised."};
  frame.height = 420;
  Chart chart(frame, share_axis("Promised share of truths within the radius"),
              share_axis("Observed share"));
  chart.diagonal("as promised");
  add_lines(chart, report.reliability);
  return {chart.svg(),
          "Reliability: how often the truth lies within the radius that promises a share. Below "
          "the diagonal the network is too sure of itself, above it too cautious."};
}

FigureText groups_figure(const Report& report) {
  const std::vector<RadiusGroup> groups = filled_groups(report);
  if (groups.empty()) return {};
  const auto count = static_cast<double>(groups.size());
  Axis x;
  x.label = "Radius (m), from the most certain to the least certain samples";
  x.low = 0.5;
  x.high = count + 0.5;
  std::vector<Chart::Mark> marks;
  bool whiskers = false;
  for (const RadiusGroup& group : groups) {
    const double at = static_cast<double>(marks.size()) + 1;
    const std::string range =
        readable(group.radius_low_m, 1) + " to " + readable(group.radius_high_m, 1);
    x.ticks.push_back(at);
    x.names.push_back(range);
    whiskers = whiskers || group.interval.has_value();
    marks.push_back({{at, group.observed},
                     group.interval,
                     "radius " + range + " m: " + count_text(group.samples) + " samples, " +
                         readable(100 * group.observed, 1) + " % within"});
  }
  ChartFrame frame{"Observed share by radius",
                   "Share of truths within the 68 % radius, by the size of the radius."};
  frame.height = 420;
  Chart chart(frame, x, share_axis("Truths within their radius"));
  chart.guides(Along::x, 0, readable(100 * report.nominal, 0) + " % promised", {report.nominal});
  chart.marks(0, whiskers ? "observed, with 95 % interval" : "observed", marks);
  return {chart.svg(),
          "The same for equal parts of the samples by radius: whether small radii can be trusted "
          "as much as large ones."};
}

Table groups_table(const Report& report) {
  Table table;
  table.title = "Samples by radius";
  table.columns = {"samples", "within radius (%)", "mean error (m)"};
  for (const RadiusGroup& group : filled_groups(report)) {
    TableRow row;
    row.name = readable(group.radius_low_m, 2) + " to " + readable(group.radius_high_m, 2) + " m";
    row.cells = {{{static_cast<double>(group.samples), Unit::count}},
                 {{group.observed, Unit::share, group.interval}},
                 {{group.mean_error_m, Unit::metres}}};
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace crossfix::report
