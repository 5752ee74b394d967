#include "nowhere.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "bootstrap.hpp"

namespace crossfix::eval {

namespace {

/// Pairs by falling `nowhere`; equal ones follow each other.
using Sorted = std::vector<Judged>;

/// Calls `use(threshold, right, wrong)` for each value of `nowhere`, the largest first, with how
/// many pairs have it. `weight` says how often a pair counts.
template <class Weight, class Use>
void for_each_value(const Sorted& pairs, const Weight& weight, const Use& use) {
  for (std::size_t begin = 0; begin < pairs.size();) {
    double right = 0;
    double wrong = 0;
    std::size_t at = begin;
    for (; at < pairs.size() && pairs[at].nowhere == pairs[begin].nowhere; ++at) {
      (pairs[at].wrong ? wrong : right) += weight(pairs[at]);
    }
    use(pairs[begin].nowhere, right, wrong);
    begin = at;
  }
}

/// The area under the curve; NaN if there are no right or no wrong pairs.
template <class Weight>
double area_of(const Sorted& pairs, const Weight& weight) {
  double all_right = 0;
  double all_wrong = 0;
  double above = 0;  // of the couples of a right and a wrong pair, those the right way round
  for_each_value(pairs, weight, [&](double, double right, double wrong) {
    above += right * (all_wrong + wrong / 2);
    all_right += right;
    all_wrong += wrong;
  });
  return above / (all_right * all_wrong);
}

std::vector<NowherePoint> curve_of(const Sorted& pairs, double right, double wrong) {
  // Of the steps along both axes together, each has at most one point: steep parts have as many
  // as flat ones.
  constexpr double kSteps = kNowherePoints - 1;
  std::vector<NowherePoint> curve{{std::nextafter(1.0, 2.0), 0, 0}};
  double step = 0;
  double right_so_far = 0;
  double wrong_so_far = 0;
  const auto once = [](const Judged&) { return 1.0; };
  for_each_value(pairs, once, [&](double threshold, double more_right, double more_wrong) {
    right_so_far += more_right;
    wrong_so_far += more_wrong;
    const NowherePoint point{threshold, right_so_far / right, wrong_so_far / wrong};
    const double reached = std::floor((point.right + point.wrong) / 2 * kSteps);
    if (reached == step) return;
    step = reached;
    curve.push_back(point);
  });
  return curve;
}

}  // namespace

NowhereFigures compare(std::span<const Judged> pairs) {
  NowhereFigures result;
  std::size_t images = 0;
  double called[2] = {};  // not here: right, wrong
  double small = 0;
  for (const Judged& pair : pairs) {
    images = std::max(images, pair.ground_image + 1);
    ++(pair.wrong ? result.wrong : result.right);
    const bool not_here = pair.nowhere >= Fix::kNotHere;
    if (not_here) ++called[pair.wrong ? 1 : 0];
    if (pair.wrong && !not_here && pair.radius68_metres < kSmallRadius) ++small;
  }
  if (!result.compared()) return result;
  const auto right = static_cast<double>(result.right);
  const auto wrong = static_cast<double>(result.wrong);
  result.right_not_here = called[0] / right;
  result.wrong_not_here = called[1] / wrong;
  result.wrong_small_radius = small / wrong;

  Sorted sorted(pairs.begin(), pairs.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Judged& a, const Judged& b) { return a.nowhere > b.nowhere; });
  const double area = area_of(sorted, [](const Judged&) { return 1.0; });
  std::vector<double> drawn;
  bootstrap(images, [&](const std::vector<std::uint32_t>& times) {
    const double value = area_of(
        sorted, [&](const Judged& pair) { return static_cast<double>(times[pair.ground_image]); });
    if (std::isfinite(value)) drawn.push_back(value);
  });
  result.area = {area, area, area};
  if (!drawn.empty()) {
    result.area.low = percentile_of(drawn, 0.025);
    result.area.high = percentile_of(drawn, 0.975);
  }
  result.curve = curve_of(sorted, right, wrong);
  return result;
}

}  // namespace crossfix::eval
