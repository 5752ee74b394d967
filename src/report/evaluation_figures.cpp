#include "evaluation_figures.hpp"

#include <ostream>
#include <utility>

#include "text_table.hpp"

namespace crossfix::report {

namespace {

using eval::Counts;
using eval::ErrorSummary;
using eval::Estimate;
using eval::Evaluation;
using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

const char* name_of(eval::Mode mode) { return mode == eval::Mode::exact ? "true" : "reference"; }

Json json_of(const Estimate& estimate) {
  return {{"value", estimate.value}, {"interval95", {estimate.low, estimate.high}}};
}

Json json_of(const Counts& counts) {
  return {{"samples", counts.samples},       {"scored", counts.scored},
          {"dropped", counts.dropped},       {"outside", counts.outside},
          {"unreadable", counts.unreadable}, {"failures", counts.failures},
          {"missing", counts.missing}};
}

Json json_of(const ErrorSummary& errors) {
  return {{"count", errors.count},
          {"mean_m", json_of(errors.mean)},
          {"median_m", json_of(errors.median)},
          {"within_1m", json_of(errors.within_1m)},
          {"within_3m", json_of(errors.within_3m)},
          {"within_5m", json_of(errors.within_5m)},
          {"within_5_percent", json_of(errors.within_5_percent)}};
}

Json json_of(const eval::AxisErrors& axes) {
  return {{"longitudinal_mean_m", axes.longitudinal_mean},
          {"longitudinal_median_m", axes.longitudinal_median},
          {"lateral_mean_m", axes.lateral_mean},
          {"lateral_median_m", axes.lateral_median}};
}

Json json_of(const eval::Uncertainty& uncertainty) {
  Json json{{"count", uncertainty.count}, {"coverage68", uncertainty.coverage}};
  for (const eval::Fifth& fifth : uncertainty.fifths) {
    json["fifths"].push_back({{"count", fifth.count},
                              {"radius68_m", {fifth.smallest_radius, fifth.largest_radius}},
                              {"coverage68", fifth.coverage},
                              {"mean_error_m", fifth.mean_error}});
  }
  json["reliability"] = Json::array();
  for (const eval::Reliability& point : uncertainty.reliability) {
    json["reliability"].push_back({{"level", point.level}, {"observed", point.observed}});
  }
  json["reliability_gap"] = uncertainty.reliability_gap;
  json["risk_coverage"] = Json::array();
  for (const eval::Risk& risk : uncertainty.risk) {
    json["risk_coverage"].push_back({{"kept", risk.kept},
                                     {"count", risk.count},
                                     {"mean_m", risk.mean},
                                     {"median_m", risk.median}});
  }
  json["nll"] = {{"count", uncertainty.nll_count}, {"mean", uncertainty.mean_nll}};
  return json;
}

Json json_of(const Evaluation& evaluation) {
  Json json{{"counts", json_of(evaluation.counts)},
            {"errors", json_of(evaluation.errors)},
            {"axes", json_of(evaluation.axes)},
            {"uncertainty", json_of(evaluation.uncertainty)}};
  for (const eval::GroupFigures& group : evaluation.groups) {
    json["groups"].push_back({{"name", group.name},
                              {"counts", json_of(group.counts)},
                              {"errors", json_of(group.errors)},
                              {"axes", json_of(group.axes)}});
  }
  const eval::OverRuns& over = evaluation.over_groups;
  json["over_groups"] = {{"mean_m", over.mean},
                         {"mean_deviation_m", over.mean_deviation},
                         {"median_m", over.median},
                         {"median_deviation_m", over.median_deviation}};
  return json;
}

std::string metres(const Estimate& estimate) {
  return decimals(estimate.value, 2) + " [" + decimals(estimate.low, 2) + ", " +
         decimals(estimate.high, 2) + "]";
}

std::string share(double value) { return decimals(100 * value, 1); }

std::vector<std::string> error_row(const std::string& mode, const std::string& what,
                                   const ErrorSummary& errors) {
  if (errors.count == 0) return {mode, what, "0", "-", "-", "-", "-", "-", "-"};
  return {mode,
          what,
          thousands(errors.count),
          metres(errors.mean),
          metres(errors.median),
          share(errors.within_1m.value),
          share(errors.within_3m.value),
          share(errors.within_5m.value),
          share(errors.within_5_percent.value)};
}

void print_errors(std::ostream& out, const std::vector<ModeFigures>& modes, bool runs) {
  Rows rows{{"mode", "", "samples", "mean, m [95 %]", "median, m [95 %]", "<= 1 m, %", "<= 3 m, %",
             "<= 5 m, %", "<= 5 % of tile"}};
  for (const ModeFigures& figures : modes) {
    const std::string mode = name_of(figures.all.mode);
    if (figures.positives) rows.push_back(error_row(mode, "positives", figures.positives->errors));
    const char* all = runs ? "all" : figures.positives ? "pos+semi" : "positives";
    rows.push_back(error_row(mode, all, figures.all.errors));
    if (figures.all.groups.size() < 2) continue;
    for (const eval::GroupFigures& group : figures.all.groups) {
      rows.push_back(error_row(mode, "  " + group.name, group.errors));
    }
  }
  print_table(out, rows, 2);
}

/// Runs side by side, as the published table of RobotCar has them.
void print_runs(std::ostream& out, const std::vector<ModeFigures>& modes) {
  Rows rows{{"mean / median, m"}};
  for (const eval::GroupFigures& group : modes.front().all.groups) {
    rows[0].push_back(group.name);
  }
  rows[0].emplace_back("average of runs");
  rows[0].emplace_back("longitudinal");
  rows[0].emplace_back("lateral");
  for (const ModeFigures& figures : modes) {
    const Evaluation& all = figures.all;
    rows.push_back({name_of(all.mode)});
    for (const eval::GroupFigures& group : all.groups) {
      rows.back().push_back(decimals(group.errors.mean.value, 2) + " / " +
                            decimals(group.errors.median.value, 2));
    }
    const eval::OverRuns& over = all.over_groups;
    rows.back().push_back(decimals(over.mean, 2) + "±" + decimals(over.mean_deviation, 2) + " / " +
                          decimals(over.median, 2) + "±" + decimals(over.median_deviation, 2));
    rows.back().push_back(decimals(all.axes.longitudinal_mean, 2) + " / " +
                          decimals(all.axes.longitudinal_median, 2));
    rows.back().push_back(decimals(all.axes.lateral_mean, 2) + " / " +
                          decimals(all.axes.lateral_median, 2));
  }
  out << '\n';
  print_table(out, rows, 1);
}

void print_uncertainty(std::ostream& out, const std::vector<ModeFigures>& modes) {
  Rows rows{{"radius68 holds the truth, % (68 is right)", "all", "surest fifth", "2nd", "3rd",
             "4th", "least sure", "reliability gap", "nats/m^2"}};
  Rows risk{{"mean error of the surest, m", "10 %", "25 %", "50 %", "75 %", "100 %"}};
  for (const ModeFigures& figures : modes) {
    const eval::Uncertainty& u = figures.all.uncertainty;
    if (u.count == 0) continue;
    rows.push_back({name_of(figures.all.mode), share(u.coverage)});
    for (const eval::Fifth& fifth : u.fifths) rows.back().push_back(share(fifth.coverage));
    rows.back().push_back(decimals(u.reliability_gap, 3));
    rows.back().push_back(decimals(u.mean_nll, 3));
    risk.push_back({name_of(figures.all.mode)});
    for (const std::size_t step : {2U, 5U, 10U, 15U, 20U}) {
      risk.back().push_back(decimals(u.risk.at(step - 1).mean, 2));
    }
  }
  if (rows.size() == 1) return;
  out << '\n';
  print_table(out, rows, 1);
  out << '\n';
  print_table(out, risk, 1);
}

void print_counts(std::ostream& out, const std::vector<ModeFigures>& modes) {
  out << '\n';
  for (const ModeFigures& figures : modes) {
    const Counts& counts = figures.all.counts;
    out << name_of(figures.all.mode) << ": " << thousands(counts.scored) << " of "
        << thousands(counts.samples) << " samples scored";
    if (figures.all.mode == eval::Mode::exact) {
      out << ", " << thousands(counts.outside) << " outside their tile skipped";
    } else {
      out << ", " << thousands(counts.dropped) << " dropped with incomplete batches of "
          << data::kReferenceBatch;
    }
    if (counts.unreadable > 0) {
      out << ", " << thousands(counts.unreadable) << " unreadable for "
          << thousands(counts.failures) << (counts.failures == 1 ? " image" : " images");
    }
    if (counts.missing > 0) out << ", " << thousands(counts.missing) << " not run";
    out << '\n';
  }
}

}  // namespace

ModeFigures figures_of(const data::Dataset& dataset, const std::vector<eval::Outcome>& outcomes,
                       eval::Mode mode) {
  ModeFigures figures{eval::evaluate(dataset, outcomes, mode), {}};
  data::Dataset positives;
  std::vector<eval::Outcome> of_positives;
  positives.groups = dataset.groups;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (dataset.samples[i].choice != 0) continue;
    positives.samples.push_back(dataset.samples[i]);
    of_positives.push_back(outcomes[i]);
  }
  if (positives.samples.size() < dataset.samples.size()) {
    figures.positives = eval::evaluate(positives, of_positives, mode);
  }
  return figures;
}

Json to_json(const ModeFigures& figures) {
  Json json = json_of(figures.all);
  if (figures.positives) json["positives"] = json_of(*figures.positives);
  return json;
}

void print_figures(std::ostream& out, const std::vector<ModeFigures>& modes, bool runs) {
  print_errors(out, modes, runs);
  if (runs) print_runs(out, modes);
  print_uncertainty(out, modes);
  print_counts(out, modes);
}

}  // namespace crossfix::report
