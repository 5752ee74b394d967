#include "print_figures.hpp"

#include <ostream>
#include <string>

#include "evaluation_html.hpp"
#include "tables.hpp"
#include "text_table.hpp"

namespace crossfix::report {

namespace {

using eval::Counts;
using eval::ErrorSummary;
using eval::Estimate;
using eval::Evaluation;
using eval::ModeFigures;
using Rows = std::vector<std::vector<std::string>>;

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

/// Runs next to each other, as in the published table of RobotCar.
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

void print_headings(std::ostream& out, const std::vector<ModeFigures>& modes) {
  const Rows rows = text_rows(heading_table(modes));
  if (rows.size() == 1) return;
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

void print_nowhere(std::ostream& out, const std::vector<ModeFigures>& modes) {
  const Rows rows = text_rows(nowhere_table(modes));
  if (rows.size() == 1) return;
  out << '\n';
  print_table(out, rows, 1);
}

void print_counts(std::ostream& out, const std::vector<ModeFigures>& modes) {
  out << '\n';
  for (const ModeFigures& figures : modes) {
    const Counts& counts = figures.all.counts;
    out << name_of(figures.all.mode) << ": " << thousands(counts.scored) << " of "
        << thousands(counts.samples) << " samples scored";
    if (figures.all.mode == eval::Mode::true_) {
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

void print_figures(std::ostream& out, const std::vector<ModeFigures>& modes, bool runs) {
  print_errors(out, modes, runs);
  if (runs) print_runs(out, modes);
  print_headings(out, modes);
  print_uncertainty(out, modes);
  print_nowhere(out, modes);
  print_counts(out, modes);
}

}  // namespace crossfix::report
