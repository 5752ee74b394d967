#include "evaluation_html.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

#include "crossfix/io/georeference.hpp"
#include "data/robotcar.hpp"
#include "text_table.hpp"

namespace crossfix::report {

namespace {

using eval::Evaluation;
using eval::Mode;

/// Points of a cumulative curve: more than a chart has pixels across.
constexpr std::size_t kCurvePoints = 800;

std::string name_of(Mode mode) { return mode == Mode::exact ? "true" : "reference"; }

Figure estimate(const eval::Estimate& figure, Unit unit) {
  return {figure.value, unit, Interval{figure.low, figure.high}};
}

Figure count_figure(std::size_t count) { return {static_cast<double>(count), Unit::count}; }

TableRow error_row(const std::string& name, const eval::ErrorSummary& errors, bool main) {
  TableRow row{name, {{count_figure(errors.count)}}, main};
  const std::pair<eval::Estimate, Unit> figures[] = {
      {errors.mean, Unit::metres},     {errors.median, Unit::metres},
      {errors.within_1m, Unit::share}, {errors.within_3m, Unit::share},
      {errors.within_5m, Unit::share}, {errors.within_5_percent, Unit::share}};
  for (const auto& [figure, unit] : figures) {
    row.cells.push_back({errors.count > 0 ? estimate(figure, unit) : Figure{{}, unit}});
  }
  return row;
}

Table error_table(const std::vector<ModeFigures>& modes, bool runs) {
  Table table;
  table.title = "Errors";
  table.columns = {"samples",
                   "mean (m)",
                   "median (m)",
                   "within 1 m (%)",
                   "within 3 m (%)",
                   "within 5 m (%)",
                   "within 5 % of the tile (%)"};
  for (const ModeFigures& figures : modes) {
    const std::string mode = name_of(figures.all.mode) + ", ";
    if (figures.positives) {
      table.rows.push_back(error_row(mode + "positives", figures.positives->errors, true));
    }
    table.rows.push_back(error_row(mode + (runs                ? "all"
                                           : figures.positives ? "pos+semi"
                                                               : "positives"),
                                   figures.all.errors, true));
    if (figures.all.groups.size() < 2) continue;
    for (const eval::GroupFigures& group : figures.all.groups) {
      table.rows.push_back(error_row(mode + group.name, group.errors, false));
    }
  }
  table.note = "In brackets 95 % intervals.";
  return table;
}

/// Runs side by side, as the published table of RobotCar has them.
Table runs_table(const std::vector<ModeFigures>& modes) {
  Table table;
  table.title = "Runs, mean / median (m)";
  for (const eval::GroupFigures& group : modes.front().all.groups) {
    table.columns.push_back(group.name);
  }
  for (const char* name : {"average of runs", "longitudinal", "lateral"}) {
    table.columns.emplace_back(name);
  }
  for (const ModeFigures& figures : modes) {
    const Evaluation& all = figures.all;
    TableRow row;
    row.name = name_of(all.mode);
    for (const eval::GroupFigures& group : all.groups) {
      row.cells.push_back({{group.errors.mean.value}, {group.errors.median.value}});
    }
    const eval::OverRuns& over = all.over_groups;
    row.cells.push_back({{over.mean, Unit::metres, {}, over.mean_deviation},
                         {over.median, Unit::metres, {}, over.median_deviation}});
    row.cells.push_back({{all.axes.longitudinal_mean}, {all.axes.longitudinal_median}});
    row.cells.push_back({{all.axes.lateral_mean}, {all.axes.lateral_median}});
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table uncertainty_table(const std::vector<ModeFigures>& modes) {
  Table table;
  table.title = "Uncertainty";
  table.columns = {"truth within the radius (%)", "largest gap in reliability (%)",
                   "mean error of the surer half (m)", "negative log-likelihood (nats/m²)"};
  for (const ModeFigures& figures : modes) {
    const eval::Uncertainty& u = figures.all.uncertainty;
    if (u.count == 0) continue;
    TableRow row;
    row.name = name_of(figures.all.mode);
    row.cells = {{{u.coverage, Unit::share}},
                 {{u.reliability_gap, Unit::share}},
                 {{u.risk.at(u.risk.size() / 2 - 1).mean, Unit::metres}},
                 {{u.mean_nll, Unit::plain}}};
    table.rows.push_back(std::move(row));
  }
  table.note = "68 % is right for the first column.";
  return table;
}

/// Share of the samples below each error.
Curve cumulative(const std::string& name, std::vector<double> errors) {
  Curve curve{name, {}};
  std::sort(errors.begin(), errors.end());
  const std::size_t count = errors.size();
  const std::size_t points = std::min(count, kCurvePoints);
  for (std::size_t i = 1; i <= points; ++i) {
    const std::size_t rank = i * count / points;
    curve.points.push_back(
        {errors[rank - 1], static_cast<double>(rank) / static_cast<double>(count)});
  }
  return curve;
}

std::vector<double> errors_of(const data::Dataset& dataset,
                              const std::vector<eval::Outcome>& outcomes, Mode mode,
                              std::optional<std::size_t> group = {}) {
  std::vector<double> errors;
  for (const eval::Measurement& m : eval::measurements_of(dataset, outcomes, mode, group)) {
    errors.push_back(m.metres);
  }
  return errors;
}

void add_curves(const data::Dataset& dataset, const std::vector<eval::Outcome>& outcomes,
                const std::vector<ModeFigures>& modes, Report& report) {
  const Mode mode = charted_mode(modes);
  report.cumulative_error.push_back(cumulative("all", errors_of(dataset, outcomes, mode)));
  for (std::size_t i = 0; i < dataset.groups.size() && dataset.groups.size() > 1; ++i) {
    Curve curve = cumulative(dataset.groups[i].name, errors_of(dataset, outcomes, mode, i));
    if (!curve.points.empty()) report.cumulative_error.push_back(std::move(curve));
  }
  for (const ModeFigures& figures : modes) {
    const eval::Uncertainty& u = figures.all.uncertainty;
    if (figures.all.mode != mode || u.count == 0) continue;
    Curve mean{"mean", {}};
    Curve median{"median", {}};
    for (const eval::Risk& risk : u.risk) {
      mean.points.push_back({risk.kept, risk.mean});
      median.points.push_back({risk.kept, risk.median});
    }
    report.risk_coverage = {std::move(mean), std::move(median)};
    Curve observed{"observed", {{0, 0}}};
    for (const eval::Reliability& point : u.reliability) {
      observed.points.push_back({point.level, point.observed});
    }
    observed.points.push_back({1, 1});
    report.reliability = {std::move(observed)};
    for (const eval::Fifth& fifth : u.fifths) {
      if (fifth.count == 0) continue;
      report.radius_groups.push_back({fifth.smallest_radius,
                                      fifth.largest_radius,
                                      fifth.count,
                                      fifth.coverage,
                                      {},
                                      fifth.mean_error});
    }
  }
}

Place place_of(const data::Sample& sample, bool robotcar, const data::MapProjection& map) {
  if (robotcar) {
    const auto [easting, northing] = map.easting_northing(sample.label);
    return PlanePoint{easting, northing};
  }
  const auto camera = io::position_of_panorama_name(sample.ground);
  if (camera) return *camera;
  return {};
}

void add_samples(const data::DatasetChoice& choice, const data::Dataset& dataset,
                 const std::vector<eval::Outcome>& outcomes, Mode mode, Report& report) {
  const data::MapProjection map;
  for (const data::Sample& sample : dataset.samples) {
    const eval::Outcome& outcome = outcomes[sample.number];
    if (!outcome.answer || !eval::is_scored(sample, mode)) continue;
    const eval::Measurement m = eval::measure(sample, *outcome.answer, mode, 0);
    const data::Truth& truth = eval::truth_of(sample, mode);
    report.samples.push_back(
        {std::filesystem::path(sample.ground).filename().string(),
         dataset.groups[sample.group].name, m.metres, m.radius68_metres,
         place_of(sample, choice.kind == data::DatasetKind::robotcar, map),
         PixelPoint{truth.pixel.row / truth.side, truth.pixel.col / truth.side}});
  }
}

void add_counts(const std::vector<ModeFigures>& modes, Report& report) {
  for (const ModeFigures& figures : modes) {
    const eval::Counts& counts = figures.all.counts;
    const std::string mode = name_of(figures.all.mode) + ": ";
    report.counts.push_back({mode + "samples", counts.samples, ""});
    report.counts.push_back({mode + "scored", counts.scored, ""});
    if (figures.all.mode == Mode::exact) {
      report.counts.push_back({mode + "outside", counts.outside, "skipped: not in their tile"});
    } else {
      report.counts.push_back(
          {mode + "dropped", counts.dropped,
           "in incomplete batches of " + std::to_string(data::kReferenceBatch)});
    }
    report.counts.push_back({mode + "unreadable", counts.unreadable,
                             "for " + std::to_string(counts.failures) + " images"});
    if (counts.missing > 0) report.counts.push_back({mode + "not run", counts.missing, ""});
  }
}

void add_definitions(const std::vector<ModeFigures>& modes, Report& report) {
  const bool reference = charted_mode(modes) == Mode::reference;
  report.definitions = standard_definitions(reference);
  report.definitions.push_back(
      {"Maps",
       "A dot is a sample at the place of its truth. Where several share one, as the tiles of one "
       "ground image do, the largest error lies on top. Where samples are many, a cell has the "
       "colour of their median."});
  if (modes.size() < 2) return;
  // The first two definitions are those in which the modes differ.
  auto other = standard_definitions(!reference);
  for (std::size_t i = 0; i < 2; ++i) {
    report.definitions[i].name += reference ? ", reference" : ", true";
    other[i].name += reference ? ", true" : ", reference";
  }
  report.definitions.insert(report.definitions.begin() + 2, other.begin(), other.begin() + 2);
}

}  // namespace

Mode charted_mode(const std::vector<ModeFigures>& figures) {
  const bool exact = std::any_of(figures.begin(), figures.end(), [](const ModeFigures& mode) {
    return mode.all.mode == Mode::exact;
  });
  return exact ? Mode::exact : Mode::reference;
}

Report html_report(const data::DatasetChoice& choice, const data::Dataset& dataset,
                   const std::vector<eval::Outcome>& outcomes,
                   const std::vector<ModeFigures>& figures,
                   const nlohmann::ordered_json& settings) {
  const Mode mode = charted_mode(figures);
  Report report;
  report.title = choice.description();
  report.warnings = dataset.warnings;
  const bool runs = choice.kind == data::DatasetKind::robotcar;
  report.tables.push_back(error_table(figures, runs));
  if (runs) report.tables.push_back(runs_table(figures));
  report.tables.push_back(uncertainty_table(figures));
  add_curves(dataset, outcomes, figures, report);
  add_samples(choice, dataset, outcomes, mode, report);
  add_counts(figures, report);
  add_definitions(figures, report);
  report.summary = thousands(report.samples.size()) + " of " + thousands(dataset.samples.size()) +
                   " samples of " + choice.root.string() + ". Charts, maps and pairs are of the " +
                   name_of(mode) + " mode.";
  for (const auto& [key, value] : settings.items()) {
    report.settings.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return report;
}

}  // namespace crossfix::report
