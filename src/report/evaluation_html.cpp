#include "evaluation_html.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "markup.hpp"

namespace crossfix::report {

namespace {

using eval::Evaluation;
using eval::Mode;
using eval::ModeFigures;

Figure count_figure(std::size_t count) { return {static_cast<double>(count), Unit::count}; }

TableRow error_row(const std::string& name, const eval::ErrorSummary& errors, bool main) {
  TableRow row{name, {{count_figure(errors.count)}}, main};
  const std::pair<eval::Estimate, Unit> figures[] = {
      {errors.mean, Unit::metres},     {errors.median, Unit::metres},
      {errors.within_1m, Unit::share}, {errors.within_3m, Unit::share},
      {errors.within_5m, Unit::share}, {errors.within_5_percent, Unit::share}};
  for (const auto& [figure, unit] : figures) {
    row.cells.push_back({errors.count > 0 ? Figure{figure, unit} : Figure{{}, unit}});
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
    const std::string mode = std::string(name_of(figures.all.mode)) + ", ";
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

/// Runs next to each other, as in the published table of RobotCar.
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
    row.cells.push_back({{over.mean, Unit::metres, over.mean_deviation},
                         {over.median, Unit::metres, over.median_deviation}});
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

std::vector<Figure> recall_cell(const eval::Recall& recall) {
  std::vector<Figure> cell;
  for (const double share : recall) cell.push_back({share, Unit::share});
  return cell;
}

TableRow heading_row(const std::string& name, const Evaluation& figures, bool searched) {
  const eval::AxisErrors& axes = figures.axes;
  TableRow row{name,
               {{{axes.longitudinal_mean}, {axes.longitudinal_median}},
                recall_cell(axes.longitudinal_within),
                {{axes.lateral_mean}, {axes.lateral_median}},
                recall_cell(axes.lateral_within)}};
  if (!searched) return row;
  const eval::HeadingErrors& headings = figures.headings;
  row.cells.push_back({{headings.mean, Unit::degrees}, {headings.median, Unit::degrees}});
  row.cells.push_back(recall_cell(headings.within));
  return row;
}

void add_counts(const std::vector<ModeFigures>& modes, Report& report) {
  for (const ModeFigures& figures : modes) {
    const eval::Counts& counts = figures.all.counts;
    const std::string mode = std::string(name_of(figures.all.mode)) + ": ";
    report.counts.push_back({mode + "samples", counts.samples, ""});
    report.counts.push_back({mode + "scored", counts.scored, ""});
    if (figures.all.mode == Mode::true_) {
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
       "A dot is a sample at its truth. Where several share one, as the tiles of one "
       "ground image do, the largest error lies on top. Where samples are many, a cell has the "
       "colour of their median."});
  if (modes.size() < 2) return;
  // The modes differ in the first two definitions.
  auto other = standard_definitions(!reference);
  for (std::size_t i = 0; i < 2; ++i) {
    report.definitions[i].name += reference ? ", reference" : ", true";
    other[i].name += reference ? ", true" : ", reference";
  }
  report.definitions.insert(report.definitions.begin() + 2, other.begin(), other.begin() + 2);
}

}  // namespace

Table heading_table(const std::vector<ModeFigures>& modes) {
  Table table;
  table.title = "By the heading, mean / median";
  table.columns = {"longitudinal (m)", "within 1/3/5 m (%)", "lateral (m)", "within 1/3/5 m (%)"};
  const bool searched = std::any_of(modes.begin(), modes.end(), [](const ModeFigures& mode) {
    return mode.all.headings.count > 0;
  });
  if (searched) {
    table.columns.insert(table.columns.end(), {"heading (°)", "within 1/3/5° (%)"});
  }
  for (const ModeFigures& figures : modes) {
    if (figures.all.errors.count == 0) continue;
    const std::string mode = name_of(figures.all.mode);
    if (figures.positives) {
      table.rows.push_back(heading_row(mode + ", positives", *figures.positives, searched));
    }
    table.rows.push_back(heading_row(mode, figures.all, searched));
  }
  return table;
}

Table nowhere_table(const std::vector<ModeFigures>& modes) {
  Table table;
  table.title = "Wrong pairs";
  table.columns = {"right pairs",
                   "wrong pairs",
                   "area under the curve",
                   "right called not here (%)",
                   "wrong called not here (%)",
                   "wrong kept with radius < " + readable(eval::kSmallRadius, 0) + " m (%)"};
  const auto add = [&](const std::string& name, const eval::NowhereFigures& figures) {
    if (!figures.compared()) return;
    table.rows.push_back({name,
                          {{count_figure(figures.right)},
                           {count_figure(figures.wrong)},
                           {{figures.area, Unit::plain}},
                           {{figures.right_not_here, Unit::share}},
                           {{figures.wrong_not_here, Unit::share}},
                           {{figures.wrong_small_radius, Unit::share}}}});
  };
  for (const ModeFigures& figures : modes) {
    const std::string mode = name_of(figures.all.mode);
    if (figures.positives) add(mode + ", positives", figures.positives->nowhere);
    add(mode, figures.all.nowhere);
  }
  table.note = "In brackets 95 % intervals. An area of 0.5 is chance.";
  return table;
}

Mode charted_mode(const std::vector<ModeFigures>& figures) {
  const bool exact = std::any_of(figures.begin(), figures.end(), [](const ModeFigures& mode) {
    return mode.all.mode == Mode::true_;
  });
  return exact ? Mode::true_ : Mode::reference;
}

Report html_report(const data::DatasetChoice& choice, const data::Dataset& dataset,
                   const std::vector<eval::Outcome>& outcomes,
                   const std::vector<ModeFigures>& figures,
                   const nlohmann::ordered_json& settings) {
  Report report;
  report.title = choice.description();
  report.dataset = dataset;
  report.mode = charted_mode(figures);
  report.measurements = eval::measurements_of(dataset, outcomes, report.mode);
  std::size_t samples = 0;
  for (const ModeFigures& of_mode : figures) {
    if (of_mode.all.mode != report.mode) continue;
    report.uncertainty = of_mode.all.uncertainty;
    report.nowhere = of_mode.all.nowhere;
    samples = of_mode.all.counts.samples;
  }
  const bool runs = choice.kind == data::DatasetKind::robotcar;
  report.tables.push_back(error_table(figures, runs));
  if (runs) report.tables.push_back(runs_table(figures));
  report.tables.push_back(heading_table(figures));
  report.tables.push_back(uncertainty_table(figures));
  if (Table table = nowhere_table(figures); !table.rows.empty()) {
    report.tables.push_back(std::move(table));
  }
  add_counts(figures, report);
  add_definitions(figures, report);
  const auto count_text = [](std::size_t count) { return readable(static_cast<double>(count), 0); };
  report.summary = count_text(report.measurements.size()) + " of " + count_text(samples) +
                   " samples of " + choice.root.string() + ". Charts, maps and pairs are of the " +
                   std::string(name_of(report.mode)) + " mode.";
  for (const auto& [key, value] : settings.items()) {
    report.settings.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return report;
}

}  // namespace crossfix::report
