#include "uncertainty.hpp"

#include <algorithm>
#include <cmath>

#include "crossfix/core/math.hpp"
#include "summary.hpp"

namespace crossfix::eval {

namespace {

constexpr int kSteps = 20;  ///< of the reliability and risk curves: every 5 %

bool covered(const Measurement& m) { return m.metres <= m.radius68_metres; }

/// The figures over the first ceil(kept n) samples by radius.
Risk risk_at(std::span<const Measurement> by_radius, int step) {
  Risk risk;
  risk.kept = static_cast<double>(step) / kSteps;
  const auto steps = static_cast<std::size_t>(step);
  risk.count = ceil_div<std::size_t>(by_radius.size() * steps, kSteps);
  std::vector<double> errors;
  for (const Measurement& m : by_radius.first(risk.count)) errors.push_back(m.metres);
  risk.mean = mean_of(errors);
  risk.median = median_of(std::move(errors));
  return risk;
}

Fifth fifth_of(std::span<const Measurement> part) {
  Fifth fifth;
  fifth.count = part.size();
  if (part.empty()) return fifth;
  fifth.smallest_radius = part.front().radius68_metres;
  fifth.largest_radius = part.back().radius68_metres;
  std::vector<double> errors;
  std::size_t within = 0;
  for (const Measurement& m : part) {
    errors.push_back(m.metres);
    within += covered(m) ? 1 : 0;
  }
  fifth.coverage = static_cast<double>(within) / static_cast<double>(part.size());
  fifth.mean_error = mean_of(errors);
  return fifth;
}

}  // namespace

Uncertainty assess(std::span<const Measurement> measurements) {
  Uncertainty result;
  result.count = measurements.size();
  if (measurements.empty()) return result;
  std::vector<Measurement> by_radius(measurements.begin(), measurements.end());
  std::stable_sort(by_radius.begin(), by_radius.end(),
                   [](const Measurement& a, const Measurement& b) {
                     return a.radius68_metres < b.radius68_metres;
                   });
  const std::span<const Measurement> sorted(by_radius);
  const std::size_t n = sorted.size();
  const auto count = static_cast<double>(n);
  for (std::size_t i = 0; i < result.fifths.size(); ++i) {
    const std::size_t begin = n * i / result.fifths.size();
    const std::size_t end = n * (i + 1) / result.fifths.size();
    result.fifths[i] = fifth_of(sorted.subspan(begin, end - begin));
  }
  result.coverage =
      static_cast<double>(std::count_if(sorted.begin(), sorted.end(), covered)) / count;

  std::vector<double> levels;
  for (const Measurement& m : sorted) levels.push_back(m.level);
  std::sort(levels.begin(), levels.end());
  for (int step = 1; step < kSteps; ++step) {
    const double level = static_cast<double>(step) / kSteps;
    const auto within = std::upper_bound(levels.begin(), levels.end(), level) - levels.begin();
    result.reliability.push_back({level, static_cast<double>(within) / count});
  }
  for (std::size_t i = 0; i < n; ++i) {
    const auto rank = static_cast<double>(i);
    result.reliability_gap = std::max(
        {result.reliability_gap, levels[i] - rank / count, (rank + 1) / count - levels[i]});
  }

  for (int step = 1; step <= kSteps; ++step) result.risk.push_back(risk_at(sorted, step));

  std::vector<double> nll;
  for (const Measurement& m : measurements) {
    if (m.nll) nll.push_back(*m.nll);
  }
  result.nll_count = nll.size();
  result.mean_nll = mean_of(nll);
  return result;
}

}  // namespace crossfix::eval
