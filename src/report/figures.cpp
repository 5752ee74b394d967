#include "figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>

#include "chart.hpp"
#include "crossfix/ops/decode.hpp"
#include "markup.hpp"
#include "scale.hpp"

namespace crossfix::report {

namespace {

/// The unit after a number, on the same line.
constexpr const char* kMetres = "\u00A0m";

/// Points of a cumulative curve: more than the pixels across a chart.
constexpr std::size_t kCurvePoints = 800;

/// Errors at which recall is marked on the cumulative curves, metres.
constexpr std::array<double, 3> kRecalls{1, 3, 5};

bool has_points(const std::vector<Curve>& curves) {
  return std::any_of(curves.begin(), curves.end(), [](const Curve& curve) {
    return std::any_of(curve.points.begin(), curve.points.end(), is_finite);
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

/// The value that `share` of `sorted` lie below.
double quantile(const std::vector<double>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::ceil(share * last))];
}

/// The fifths that have samples; with fewer samples than fifths some have none.
std::vector<eval::Fifth> filled_fifths(const Report& report) {
  std::vector<eval::Fifth> fifths;
  std::copy_if(report.uncertainty.fifths.begin(), report.uncertainty.fifths.end(),
               std::back_inserter(fifths),
               [](const eval::Fifth& fifth) { return fifth.count > 0; });
  return fifths;
}

/// The share of the samples, 0 to 1, whose error is at most x. `errors` must be ascending.
Curve cumulative(const std::string& name, const std::vector<double>& errors) {
  Curve curve{name, {}};
  const std::size_t count = errors.size();
  const std::size_t points = std::min(count, kCurvePoints);
  for (std::size_t i = 1; i <= points; ++i) {
    const std::size_t rank = i * count / points;
    curve.points.push_back(
        {errors[rank - 1], static_cast<double>(rank) / static_cast<double>(count)});
  }
  return curve;
}

/// Of all samples, and of each group if there are several.
std::vector<Curve> cumulative_curves(const Report& report) {
  std::vector<Curve> curves{cumulative("all", drawable_errors(report))};
  const auto& groups = report.dataset.groups;
  for (std::size_t i = 0; i < groups.size() && groups.size() > 1; ++i) {
    Curve curve = cumulative(groups[i].name, drawable_errors(report, i));
    if (!curve.points.empty()) curves.push_back(std::move(curve));
  }
  return curves;
}

/// Error in metres against the share kept, 0 to 1, of the surest samples.
std::vector<Curve> risk_curves(const Report& report) {
  Curve mean{"mean", {}};
  Curve median{"median", {}};
  for (const eval::Risk& risk : report.uncertainty.risk) {
    mean.points.push_back({risk.kept, risk.mean});
    median.points.push_back({risk.kept, risk.median});
  }
  return {std::move(mean), std::move(median)};
}

/// The share of truths within the circles that promise the share x; both 0 to 1.
std::vector<Curve> reliability_curves(const Report& report) {
  if (report.uncertainty.count == 0) return {};
  Curve observed{"observed", {{0, 0}}};
  for (const eval::Reliability& point : report.uncertainty.reliability) {
    observed.points.push_back({point.level, point.observed});
  }
  observed.points.push_back({1, 1});
  return {std::move(observed)};
}

/// Equal bins from 0 on; values beyond them are counted separately.
struct Histogram {
  double width = 0;
  std::vector<std::size_t> counts;
  std::size_t beyond = 0;
  double end() const { return width * static_cast<double>(counts.size()); }
};

Histogram histogram(const std::vector<double>& sorted) {
  constexpr double kShown = 0.9;  // of the samples, at least; the others have a separate bar
  constexpr double kBins = 40;
  const double most = quantile(sorted, kShown);
  Histogram result;
  constexpr double kLeast = 1e-6;  // metres; below, all errors look alike
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

std::vector<double> drawable_errors(const Report& report, std::optional<std::size_t> group) {
  std::vector<double> errors;
  for (const eval::Measurement& m : report.measurements) {
    if (group && report.dataset.samples.at(m.sample).group != *group) continue;
    if (m.drawable()) errors.push_back(m.metres);
  }
  std::sort(errors.begin(), errors.end());
  return errors;
}

std::size_t undrawn_points(const Report& report) {
  std::size_t count = 0;
  for (const auto& curves : {risk_curves(report), reliability_curves(report)}) {
    for (const Curve& curve : curves) {
      count += static_cast<std::size_t>(
          std::count_if(curve.points.begin(), curve.points.end(), std::not_fn(is_finite)));
    }
  }
  return count;
}

FigureText cumulative_figure(const Report& report) {
  const std::vector<Curve> curves = cumulative_curves(report);
  if (!has_points(curves)) return {};
  constexpr double kFirstShare = 0.005;  // the axis begins where the first curve has this share
  double most = 0;
  double least = 1e300;
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) {
      most = std::max(most, point.x);
      if (point.y >= kFirstShare && point.x > 0) least = std::min(least, point.x);
    }
  }
  for (const double recall : kRecalls) most = std::max(most, recall);
  Axis x = metre_axis("Error (m, logarithmic)", most > 0 ? round_up(most) : 1);
  x.spacing = Spacing::logarithmic;
  x.low = round_down(std::min(least, x.high / 100));
  Chart chart({"Cumulative error", "Share of samples over the error that they do not exceed."}, x,
              share_axis("Samples with at most this error"));
  std::string marked;
  for (const double recall : kRecalls) {
    marked += (marked.empty() ? "" : ", ") + coordinate(recall, 2);
  }
  add_lines(chart, curves);
  chart.guides(Along::y, 1, marked + " m", {kRecalls.begin(), kRecalls.end()});
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
  // Room for the bar of the samples beyond, separate from the others.
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
  const std::vector<Curve> curves = risk_curves(report);
  if (!has_points(curves)) return {};
  double most = 0;
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) {
      if (is_finite(point)) most = std::max(most, point.y);
    }
  }
  Chart chart({"Risk and coverage", "Error of the most certain samples over the share kept."},
              share_axis("Samples kept, the most certain first"),
              metre_axis("Error of those kept (m)", round_end(most)));
  add_lines(chart, curves);
  return {chart.svg(),
          "Risk and coverage: the error when only the most certain samples are kept. The more a "
          "curve falls towards the left, the more the radii tell of the errors."};
}

FigureText reliability_figure(const Report& report) {
  const std::vector<Curve> curves = reliability_curves(report);
  if (!has_points(curves)) return {};
  ChartFrame frame{"Reliability", "Share of truths within the radius, over the share promised."};
  frame.height = 420;
  Chart chart(frame, share_axis("Promised share of truths within the radius"),
              share_axis("Observed share"));
  chart.diagonal("as promised");
  add_lines(chart, curves);
  return {chart.svg(),
          "Reliability: how often the truth lies within the radius that promises a share. Below "
          "the diagonal the network is too sure of itself, above it too cautious."};
}

FigureText groups_figure(const Report& report) {
  const std::vector<eval::Fifth> fifths = filled_fifths(report);
  if (fifths.empty()) return {};
  const auto count = static_cast<double>(fifths.size());
  Axis x;
  x.label = "Radius (m), from the most certain to the least certain samples";
  x.low = 0.5;
  x.high = count + 0.5;
  std::vector<Chart::Mark> marks;
  for (const eval::Fifth& fifth : fifths) {
    const double at = static_cast<double>(marks.size()) + 1;
    const std::string range =
        readable(fifth.smallest_radius, 1) + " to " + readable(fifth.largest_radius, 1);
    x.ticks.push_back(at);
    x.names.push_back(range);
    marks.push_back({{at, fifth.coverage},
                     {},
                     "radius " + range + " m: " + count_text(fifth.count) + " samples, " +
                         readable(100 * fifth.coverage, 1) + " % within"});
  }
  ChartFrame frame{"Observed share by radius",
                   "Share of truths within the 68 % radius, by the size of the radius."};
  frame.height = 420;
  Chart chart(frame, x, share_axis("Truths within their radius"));
  chart.guides(Along::x, 0, readable(100 * ops::kRadiusShare, 0) + " % promised",
               {ops::kRadiusShare});
  chart.marks(0, "observed", marks);
  return {chart.svg(),
          "The same for equal parts of the samples by radius: whether small radii can be trusted "
          "as much as large ones."};
}

FigureText nowhere_figure(const Report& report) {
  const eval::NowhereFigures& figures = report.nowhere;
  if (!figures.compared()) return {};
  Curve curve{"by the threshold", {}};
  for (const eval::NowherePoint& point : figures.curve) {
    curve.points.push_back({point.right, point.wrong});
  }
  ChartFrame frame{
      "Wrong pairs found",
      "Share of wrong pairs called not here, over the share of right pairs called so."};
  frame.height = 420;
  Chart chart(frame, share_axis("Right pairs called not here"),
              share_axis("Wrong pairs called not here"));
  chart.diagonal("by chance");
  chart.line(0, curve);
  chart.marks(
      1, "at 50 %",
      {{{figures.right_not_here, figures.wrong_not_here},
        {},
        "at 50 %: " + readable(100 * figures.right_not_here, 1) + " % of the right and " +
            readable(100 * figures.wrong_not_here, 1) + " % of the wrong pairs called not here"}});
  return {chart.svg(),
          "Wrong pairs found: every pair was located a second time with the ground image of "
          "another camera. The curve says how many of these are called not here, if so many of the "
          "right pairs are lost; the dot is what an answer says by itself. The area below the "
          "curve is " +
              readable(figures.area.value, 3) + "."};
}

Table groups_table(const Report& report) {
  Table table;
  table.title = "Samples by radius";
  table.columns = {"samples", "within radius (%)", "mean error (m)"};
  for (const eval::Fifth& fifth : filled_fifths(report)) {
    TableRow row;
    row.name =
        readable(fifth.smallest_radius, 2) + " to " + readable(fifth.largest_radius, 2) + " m";
    row.cells = {{{static_cast<double>(fifth.count), Unit::count}},
                 {{fifth.coverage, Unit::share}},
                 {{fifth.mean_error, Unit::metres}}};
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace crossfix::report
