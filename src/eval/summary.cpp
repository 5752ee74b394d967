#include "summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "bootstrap.hpp"

namespace crossfix::eval {

namespace {

/// The figures of a summary, in order.
enum Figure : std::size_t { kMean, kMedian, k1m, k3m, k5m, k5Percent, kFigures };
using Figures = std::array<double, kFigures>;

/// The sums over the measurements of one ground image.
struct Image {
  double count = 0;
  Figures sums{};  ///< the entry of kMedian is not used
};

/// Computes the figures when the measurements of each image are counted a given number of times.
class Resampler {
 public:
  explicit Resampler(std::span<const Measurement> measurements) {
    std::vector<std::size_t> image_of;
    for (const Measurement& m : measurements) {
      if (images_.empty() || m.ground_image != last_) images_.emplace_back();
      last_ = m.ground_image;
      Image& image = images_.back();
      image.count += 1;
      image.sums[kMean] += m.metres;
      image.sums[k1m] += m.metres <= 1 ? 1 : 0;
      image.sums[k3m] += m.metres <= 3 ? 1 : 0;
      image.sums[k5m] += m.metres <= 5 ? 1 : 0;
      image.sums[k5Percent] += m.sides <= 0.05 ? 1 : 0;
      image_of.push_back(images_.size() - 1);
    }
    std::vector<std::size_t> order(measurements.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return measurements[a].metres < measurements[b].metres;
    });
    for (const std::size_t i : order) {
      sorted_metres_.push_back(measurements[i].metres);
      sorted_images_.push_back(image_of[i]);
    }
  }

  std::size_t images() const { return images_.size(); }

  Figures figures(std::span<const std::uint32_t> times) const {
    Figures figures{};
    double count = 0;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const double weight = times[i];
      count += weight * images_[i].count;
      for (std::size_t f = 0; f < kFigures; ++f) figures[f] += weight * images_[i].sums[f];
    }
    for (double& figure : figures) figure /= count;
    figures[kMedian] = median(times, static_cast<std::uint64_t>(count));
    return figures;
  }

 private:
  double median(std::span<const std::uint32_t> times, std::uint64_t count) const {
    const std::uint64_t lower = (count - 1) / 2;
    const std::uint64_t upper = count / 2;
    std::uint64_t seen = 0;
    double low = 0;
    for (std::size_t i = 0; i < sorted_metres_.size(); ++i) {
      const std::uint64_t before = seen;
      seen += times[sorted_images_[i]];
      if (before <= lower && lower < seen) low = sorted_metres_[i];
      if (before <= upper && upper < seen) return (low + sorted_metres_[i]) / 2;
    }
    return low;
  }

  std::vector<Image> images_;
  std::size_t last_ = 0;
  std::vector<double> sorted_metres_;
  std::vector<std::size_t> sorted_images_;
};

}  // namespace

double deviation_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
}

double percentile_of(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - std::floor(at)) * (values[above] - values[below]);
}

ErrorSummary summarize(std::span<const Measurement> measurements) {
  ErrorSummary summary;
  summary.count = measurements.size();
  if (measurements.empty()) return summary;
  const Resampler resampler(measurements);
  const Figures whole = resampler.figures(std::vector<std::uint32_t>(resampler.images(), 1));
  std::array<std::vector<double>, kFigures> drawn;
  bootstrap(resampler.images(), [&](const std::vector<std::uint32_t>& times) {
    const Figures figures = resampler.figures(times);
    for (std::size_t f = 0; f < kFigures; ++f) drawn[f].push_back(figures[f]);
  });
  const auto estimate = [&](Figure figure) {
    return Estimate{whole[figure], percentile_of(drawn[figure], 0.025),
                    percentile_of(drawn[figure], 0.975)};
  };
  summary.mean = estimate(kMean);
  summary.median = estimate(kMedian);
  summary.within_1m = estimate(k1m);
  summary.within_3m = estimate(k3m);
  summary.within_5m = estimate(k5m);
  summary.within_5_percent = estimate(k5Percent);
  return summary;
}

}  // namespace crossfix::eval
