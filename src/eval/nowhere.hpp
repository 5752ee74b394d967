/// How well `Fix::nowhere` tells wrong pairs from right ones.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "measurement.hpp"
#include "summary.hpp"

namespace crossfix::eval {

/// A pair whose answer says how likely it is that the camera stands elsewhere.
struct Judged {
  std::size_t ground_image = 0;  ///< numbers ground images, of right and of wrong pairs, from 0
  bool wrong = false;
  double nowhere = 0;  ///< 0 to 1
  double radius68_metres = 0;
};

/// The shares of the pairs that are called not here if all are whose `nowhere` is at least
/// `threshold`.
struct NowherePoint {
  double threshold = 0;
  double right = 0;
  double wrong = 0;
};

/// Radii below this are small, metres: an answer to act on.
inline constexpr double kSmallRadius = 5;

/// Points of a curve are at most so many.
inline constexpr std::size_t kNowherePoints = 100;

struct NowhereFigures {
  std::size_t right = 0;  ///< pairs whose camera stands in the tile
  std::size_t wrong = 0;
  /// How probable it is that of a right and a wrong pair the wrong one has the larger `nowhere`,
  /// where equal ones count half: the area under the curve, by Mann and Whitney's statistic. 0.5 is
  /// chance. The interval is a bootstrap over ground images, each with its right and wrong pairs; a
  /// draw that lacks either is left out.
  Estimate area;
  double right_not_here = 0;      ///< share of the right pairs that `Fix::not_here` is true of
  double wrong_not_here = 0;      ///< of the wrong ones
  double wrong_small_radius = 0;  ///< of the wrong ones: not called so, with a small `radius68`
  /// From none called not here (a threshold above 1) to all, by falling threshold.
  std::vector<NowherePoint> curve;

  /// Whether there is something to compare; without it all but the counts is 0.
  bool compared() const { return right > 0 && wrong > 0; }
};

NowhereFigures compare(std::span<const Judged> pairs);

}  // namespace crossfix::eval
