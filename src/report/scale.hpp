/// Where values go on an axis, and which of them are worth a tick.
#pragma once

#include <string>
#include <vector>

namespace crossfix::report {

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`, which must be above 0.
double round_up(double value);

/// The largest of 1, 2, 5 times a power of ten that is not above `value`, which must be above 0.
double round_down(double value);

/// An end for an axis from 0 that a tick falls on: `value`, which must not be below 0, or a little
/// more; 1 for 0.
double round_end(double value);

/// The multiples of a round step (1, 2 or 5 times a power of ten) from `low` to `high`, at most
/// `at_most` + 1 of them; the step is never below `smallest_step`. Throws ShapeError unless `low` <
/// `high`, both finite, and `at_most` is above 0.
std::vector<double> round_ticks(double low, double high, int at_most, double smallest_step = 0);

/// 1, 2 and 5 times powers of ten from `low` to `high`; powers alone, and every few of them, where
/// there are more than `at_most`. Throws ShapeError unless 0 < `low` < `high`, both finite.
std::vector<double> decade_ticks(double low, double high, int at_most);

enum class Spacing { linear, logarithmic };

/// One axis of a chart.
struct Axis {
  std::string label;  ///< with the unit
  std::string unit;   ///< alone, for the pointer's texts; with its space in front, if any
  double low = 0;
  double high = 1;
  Spacing spacing = Spacing::linear;
  double factor = 1;               ///< 100 labels shares as percentages
  double smallest_step = 0;        ///< between ticks; 1 for counts
  std::vector<double> ticks;       ///< round ones where empty
  std::vector<std::string> names;  ///< of the ticks, in place of their values; may be empty

  /// Fills `ticks`, where empty, with at most about `at_most` of them.
  void choose_ticks(int at_most);
  /// Labels for the ticks, with the decimals they need.
  std::vector<std::string> tick_labels() const;
  /// `value` with its unit and about three digits.
  std::string reading(double value) const;
  /// Share of the axis, 0 to 1, at which `value` lies; values beyond an end lie on it.
  double fraction(double value) const;
};

}  // namespace crossfix::report
