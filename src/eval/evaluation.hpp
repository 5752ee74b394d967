/// All the figures of a run.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "measurement.hpp"
#include "nowhere.hpp"
#include "summary.hpp"
#include "uncertainty.hpp"

namespace crossfix::eval {

/// Counts of samples by outcome, without wrong pairs.
struct Counts {
  std::size_t samples = 0;  ///< in the data set
  std::size_t scored = 0;
  std::size_t dropped = 0;     ///< by the reference, with an incomplete batch
  std::size_t outside = 0;     ///< skipped: the camera stands outside the tile
  std::size_t unreadable = 0;  ///< of those to be scored: an image that cannot be used
  std::size_t failures = 0;    ///< different reasons for that: usually one for each such image
  std::size_t missing = 0;     ///< of those to be scored: not run yet
};

/// Shares of errors up to 1, 3 and 5 metres or degrees.
inline constexpr std::array kRecallBounds{1, 3, 5};
using Recall = std::array<double, kRecallBounds.size()>;

/// Errors along and across what the camera looks at, or the vehicle, metres, without sign.
struct AxisErrors {
  double longitudinal_mean = 0;
  double longitudinal_median = 0;
  double lateral_mean = 0;
  double lateral_median = 0;
  Recall longitudinal_within{};
  Recall lateral_within{};
};

/// Errors of headings that were searched for, degrees, without sign. All 0 for none.
struct HeadingErrors {
  std::size_t count = 0;
  double mean = 0;
  double median = 0;
  Recall within{};
};

/// A city or run.
struct GroupFigures {
  std::string name;
  Counts counts;
  ErrorSummary errors;
  AxisErrors axes;
  HeadingErrors headings;
};

/// Mean and population standard deviation of the means and medians of the runs, metres.
struct OverRuns {
  double mean = 0;
  double mean_deviation = 0;
  double median = 0;
  double median_deviation = 0;
};

struct Evaluation {
  Mode mode = Mode::true_;
  Counts counts;
  ErrorSummary errors;
  AxisErrors axes;
  HeadingErrors headings;
  Uncertainty uncertainty;
  NowhereFigures nowhere;
  std::vector<GroupFigures> groups;
  OverRuns over_groups;
};

/// What became of one sample. Without answer and failure it has not been run.
struct Outcome {
  std::optional<Answer> answer;
  std::string failure;  ///< why an image cannot be used

  bool known() const { return answer.has_value() || !failure.empty(); }
};

/// The measurements of the samples that a mode scores and that have an answer, in order.
std::vector<Measurement> measurements_of(const data::Dataset& dataset,
                                         const std::vector<Outcome>& outcomes, Mode mode,
                                         std::optional<std::size_t> group = {});

/// The pairs that have an answer which says how likely it is that the camera stands elsewhere: of
/// the right ones those that the mode scores and whose camera stands in the tile, and the wrong
/// ones. Radii are by the mode's scale.
std::vector<Judged> judged_pairs(const data::Dataset& dataset, const std::vector<Outcome>& outcomes,
                                 Mode mode);

/// `outcomes` has one entry for each sample; otherwise DataError is thrown.
Evaluation evaluate(const data::Dataset& dataset, const std::vector<Outcome>& outcomes, Mode mode);

}  // namespace crossfix::eval
