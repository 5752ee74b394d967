#include "evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <unordered_map>

#include "crossfix/core/error.hpp"

namespace crossfix::eval {

namespace {

Counts count(const data::Dataset& dataset, const std::vector<Outcome>& outcomes, Mode mode,
             std::optional<std::size_t> group) {
  Counts counts;
  std::set<std::string_view> failures;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const data::Sample& sample = dataset.samples[i];
    if (sample.wrong || (group && sample.group != *group)) continue;
    ++counts.samples;
    if (!is_scored(sample, mode)) {
      ++(mode == Mode::true_ ? counts.outside : counts.dropped);
    } else if (outcomes[i].answer) {
      ++counts.scored;
    } else {
      ++(outcomes[i].failure.empty() ? counts.missing : counts.unreadable);
      if (!outcomes[i].failure.empty()) failures.insert(outcomes[i].failure);
    }
  }
  counts.failures = failures.size();
  return counts;
}

Recall recall_of(const std::vector<double>& errors) {
  Recall recall{};
  for (std::size_t i = 0; i < recall.size() && !errors.empty(); ++i) {
    const auto within = std::count_if(errors.begin(), errors.end(),
                                      [&](double error) { return error <= kRecallBounds[i]; });
    recall[i] = static_cast<double>(within) / static_cast<double>(errors.size());
  }
  return recall;
}

AxisErrors axes_of(const std::vector<Measurement>& measurements) {
  std::vector<double> along;
  std::vector<double> across;
  for (const Measurement& m : measurements) {
    along.push_back(std::abs(m.ahead_metres));
    across.push_back(std::abs(m.right_metres));
  }
  return {mean_of(along),    median_of(along), mean_of(across),
          median_of(across), recall_of(along), recall_of(across)};
}

HeadingErrors headings_of(const std::vector<Measurement>& measurements) {
  std::vector<double> errors;
  for (const Measurement& m : measurements) {
    if (m.heading_degrees) errors.push_back(*m.heading_degrees);
  }
  return {errors.size(), mean_of(errors), median_of(errors), recall_of(errors)};
}

OverRuns over(const std::vector<GroupFigures>& groups) {
  std::vector<double> means;
  std::vector<double> medians;
  for (const GroupFigures& group : groups) {
    if (group.errors.count == 0) continue;
    means.push_back(group.errors.mean.value);
    medians.push_back(group.errors.median.value);
  }
  return {mean_of(means), deviation_of(means), mean_of(medians), deviation_of(medians)};
}

}  // namespace

std::vector<Measurement> measurements_of(const data::Dataset& dataset,
                                         const std::vector<Outcome>& outcomes, Mode mode,
                                         std::optional<std::size_t> group) {
  if (outcomes.size() != dataset.samples.size()) {
    throw DataError(std::to_string(outcomes.size()) + " results for a data set of " +
                    std::to_string(dataset.samples.size()) + " samples");
  }
  std::vector<Measurement> measurements;
  std::size_t ground_image = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const data::Sample& sample = dataset.samples[i];
    if (i > 0 && sample.ground != dataset.samples[i - 1].ground) ++ground_image;
    if ((group && sample.group != *group) || !is_scored(sample, mode) || !outcomes[i].answer) {
      continue;
    }
    measurements.push_back(measure(sample, *outcomes[i].answer, mode, ground_image));
  }
  return measurements;
}

std::vector<Judged> judged_pairs(const data::Dataset& dataset, const std::vector<Outcome>& outcomes,
                                 Mode mode) {
  std::vector<Judged> pairs;
  std::unordered_map<std::string_view, std::size_t> images;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const data::Sample& sample = dataset.samples[i];
    const std::optional<Answer>& answer = outcomes[i].answer;
    const bool right = is_scored(sample, mode) && sample.inside;
    if (!(right || sample.wrong) || !answer || !answer->nowhere) continue;
    const data::Truth& truth = truth_of(sample, mode);
    pairs.push_back({images.emplace(sample.ground, images.size()).first->second, sample.wrong,
                     *answer->nowhere, answer->radius68 * truth.side * truth.metres_per_pixel});
  }
  return pairs;
}

Evaluation evaluate(const data::Dataset& dataset, const std::vector<Outcome>& outcomes, Mode mode) {
  Evaluation result;
  result.mode = mode;
  const std::vector<Measurement> all = measurements_of(dataset, outcomes, mode);
  result.counts = count(dataset, outcomes, mode, {});
  result.errors = summarize(all);
  result.axes = axes_of(all);
  result.headings = headings_of(all);
  result.uncertainty = assess(all);
  result.nowhere = compare(judged_pairs(dataset, outcomes, mode));
  for (std::size_t i = 0; i < dataset.groups.size(); ++i) {
    const std::vector<Measurement> part = measurements_of(dataset, outcomes, mode, i);
    result.groups.push_back({dataset.groups[i].name, count(dataset, outcomes, mode, i),
                             summarize(part), axes_of(part), headings_of(part)});
  }
  result.over_groups = over(result.groups);
  return result;
}

}  // namespace crossfix::eval
