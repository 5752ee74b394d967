#include "mode_figures.hpp"

#include <string>

namespace crossfix::eval {

namespace {

using Json = nlohmann::ordered_json;

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

/// Adds "PREFIXwithin_1UNIT" and its like.
void add_recall(const Recall& recall, const std::string& prefix, const std::string& unit,
                Json& json) {
  for (std::size_t i = 0; i < recall.size(); ++i) {
    std::string key = prefix;
    key.append("within_").append(std::to_string(kRecallBounds[i])).append(unit);
    json[key] = recall[i];
  }
}

Json json_of(const AxisErrors& axes) {
  Json json{{"longitudinal_mean_m", axes.longitudinal_mean},
            {"longitudinal_median_m", axes.longitudinal_median},
            {"lateral_mean_m", axes.lateral_mean},
            {"lateral_median_m", axes.lateral_median}};
  add_recall(axes.longitudinal_within, "longitudinal_", "m", json);
  add_recall(axes.lateral_within, "lateral_", "m", json);
  return json;
}

Json json_of(const HeadingErrors& headings) {
  Json json{
      {"count", headings.count}, {"mean_deg", headings.mean}, {"median_deg", headings.median}};
  add_recall(headings.within, "", "deg", json);
  return json;
}

Json json_of(const Uncertainty& uncertainty) {
  Json json{{"count", uncertainty.count}, {"coverage68", uncertainty.coverage}};
  for (const Fifth& fifth : uncertainty.fifths) {
    json["fifths"].push_back({{"count", fifth.count},
                              {"radius68_m", {fifth.smallest_radius, fifth.largest_radius}},
                              {"coverage68", fifth.coverage},
                              {"mean_error_m", fifth.mean_error}});
  }
  json["reliability"] = Json::array();
  for (const Reliability& point : uncertainty.reliability) {
    json["reliability"].push_back({{"level", point.level}, {"observed", point.observed}});
  }
  json["reliability_gap"] = uncertainty.reliability_gap;
  json["risk_coverage"] = Json::array();
  for (const Risk& risk : uncertainty.risk) {
    json["risk_coverage"].push_back({{"kept", risk.kept},
                                     {"count", risk.count},
                                     {"mean_m", risk.mean},
                                     {"median_m", risk.median}});
  }
  json["nll"] = {{"count", uncertainty.nll_count}, {"mean", uncertainty.mean_nll}};
  return json;
}

Json json_of(const NowhereFigures& nowhere) {
  Json json{{"right", nowhere.right},
            {"wrong", nowhere.wrong},
            {"area", json_of(nowhere.area)},
            {"right_not_here", nowhere.right_not_here},
            {"wrong_not_here", nowhere.wrong_not_here},
            {"wrong_small_radius", nowhere.wrong_small_radius}};
  for (const NowherePoint& point : nowhere.curve) {
    json["curve"].push_back(
        {{"threshold", point.threshold}, {"right", point.right}, {"wrong", point.wrong}});
  }
  return json;
}

Json json_of(const Evaluation& evaluation) {
  Json json{{"counts", json_of(evaluation.counts)},
            {"errors", json_of(evaluation.errors)},
            {"axes", json_of(evaluation.axes)},
            {"uncertainty", json_of(evaluation.uncertainty)}};
  if (evaluation.headings.count > 0) json["headings"] = json_of(evaluation.headings);
  if (evaluation.nowhere.compared()) json["nowhere"] = json_of(evaluation.nowhere);
  for (const GroupFigures& group : evaluation.groups) {
    json["groups"].push_back({{"name", group.name},
                              {"counts", json_of(group.counts)},
                              {"errors", json_of(group.errors)},
                              {"axes", json_of(group.axes)}});
    if (group.headings.count > 0) json["groups"].back()["headings"] = json_of(group.headings);
  }
  const OverRuns& over = evaluation.over_groups;
  json["over_groups"] = {{"mean_m", over.mean},
                         {"mean_deviation_m", over.mean_deviation},
                         {"median_m", over.median},
                         {"median_deviation_m", over.median_deviation}};
  return json;
}

}  // namespace

ModeFigures figures_of(const data::Dataset& dataset, const std::vector<Outcome>& outcomes,
                       Mode mode) {
  ModeFigures figures{evaluate(dataset, outcomes, mode), {}};
  data::Dataset positives;
  std::vector<Outcome> of_positives;
  positives.groups = dataset.groups;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (dataset.samples[i].choice != 0) continue;
    positives.samples.push_back(dataset.samples[i]);
    of_positives.push_back(outcomes[i]);
  }
  if (positives.samples.size() < dataset.samples.size()) {
    figures.positives = evaluate(positives, of_positives, mode);
  }
  return figures;
}

Json to_json(const ModeFigures& figures) {
  Json json = json_of(figures.all);
  if (figures.positives) json["positives"] = json_of(*figures.positives);
  return json;
}

}  // namespace crossfix::eval
