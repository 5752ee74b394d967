/// The positions of values on an axis, and the choice of ticks.
#pragma once

#include <string>
#include <vector>

namespace crossfix::report {

/// The smallest of 1, 2, 5 times a power of ten that is at least `value`, which must be above 0.
double round_up(double value);

/// The largest of 1, 2, 5 times a power of ten that is at most `value`, which must be above 0.
double round_down(double value);

/// An end, on a tick, for an axis from 0: `value`, which must be at least 0, or a little more; 1
/// for 0.
double round_end(double value);

/// The multiples of a round step (1, 2 or 5 times a power of ten) from `low` to `high`, at most
/// `at_most` + 1 of them. The step is at least `smallest_step`. Throws ShapeError unless `low` <
/// `high`, both finite, and `at_most` is above 0.
std::vector<double> round_ticks(double low, double high, int at_most, double smallest_step = 0);

/// 1, 2 and 5 times powers of ten from `low` to `high`. If that is more than `at_most`, only powers
/// of ten, or only every few of them. Throws ShapeError unless 0 < `low` < `high`, both finite.
std::vector<double> decade_ticks(double low, double high, int at_most);

enum class Spacing { linear, logarithmic };

/// One axis of a chart.
struct Axis {
  std::string label;  ///< with the unit
  std::string unit;   ///< alone, for texts of the pointer; with its space in front, if any
  double low = 0;
  double high = 1;
  Spacing spacing = Spacing::linear;
  double factor = 1;               ///< 100 labels shares as percentages
  double smallest_step = 0;        ///< between ticks; 1 for counts
  std::vector<double> ticks;       ///< if empty, round ones are chosen
  std::vector<std::string> names;  ///< of the ticks, instead of their values; may be empty

  /// Fills `ticks`, if empty, with at most about `at_most` ticks.
  void choose_ticks(int at_most);
  /// Labels for the ticks, with the necessary decimals.
  std::vector<std::string> tick_labels() const;
  /// `value` with its unit and about three digits.
  std::string reading(double value) const;
  /// Share of the axis, 0 to 1, at which `value` lies. Values beyond an end are put on that end.
  double fraction(double value) const;
};

}  // namespace crossfix::report
