#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/heading.hpp"

namespace crossfix::model {

/// The headings of a question, coarse to fine: first even steps clockwise from north, then the most
/// likely steps are divided into parts. There are `bins()` even bins clockwise from north, the
/// first centred on north. Each heading represents an arc of `width` bins centred on it; together
/// the arcs cover the circle once. Each heading has one row of scores for every variant of how the
/// camera may stand. Reuse for further questions allocates nothing.
class HeadingSearch {
 public:
  static constexpr Index kParts = 3;        ///< parts of a step, odd
  static constexpr double kLeastSigma = 2;  ///< degrees: about the deviation of a bin of 6.7
  static constexpr Index kRefined = 3;      ///< largest number of steps that are divided

  struct Heading {
    double degrees;  ///< middle of the arc, degrees clockwise from north
    Index bin;       ///< bin of the middle
    Index width;     ///< in bins: kParts for a step, 1 for a part
  };

  /// Largest number of rows.
  static constexpr Index most_rows(Index steps, Index variants) {
    return (steps + kRefined * (kParts - 1)) * variants;
  }

  explicit HeadingSearch(Index steps) : steps_(steps) {
    headings_.reserve(static_cast<std::size_t>(most_rows(steps, 1)));
    masses_.reserve(headings_.capacity());
  }

  /// Whether a heading has to be searched for: it is unknown, or its standard deviation is more
  /// than the search can tell.
  static bool searches(std::optional<double> given, double sigma) {
    return !given || sigma > kLeastSigma;
  }

  /// log(sum of exp).
  static double log_sum(std::span<const float> values) {
    const double largest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const float value : values) sum += std::exp(static_cast<double>(value) - largest);
    return largest + std::log(sum);
  }

  /// Starts with the heading that is given, degrees, if its standard deviation `sigma` is too small
  /// to search (`searches`). Starts with all steps otherwise, which then have that prior, or an
  /// even one if no heading is given. `variants`: rows of each heading.
  void start(std::optional<double> given, Index variants = 1, double sigma = 0) {
    variants_ = variants;
    given_ = given;
    sigma_ = sigma;
    headings_.clear();
    searched_ = searches(given, sigma);
    // Whole turns are removed before poses are rounded to float.
    if (!searched_) headings_.push_back({std::remainder(*given, 360.0), 0, 1});
    for (Index i = 0; searched_ && i < steps_; ++i) {
      headings_.push_back(
          {360.0 * static_cast<double>(i) / static_cast<double>(steps_), i * kParts, kParts});
    }
  }

  /// Divides the most likely steps into parts, given the logarithms of the rows' masses (with any
  /// common offset). The step itself stays as the middle part, and the other parts are appended.
  /// Does nothing if the heading is known.
  void refine(std::span<const float> log_masses) {
    if (!searched_) return;
    posterior_of_headings(log_masses);
    for (Index n = 0; n < std::min(kRefined, steps_); ++n) {
      const auto best = std::max_element(masses_.begin(), masses_.end());
      *best = -1;
      Heading& step = headings_[static_cast<std::size_t>(best - masses_.begin())];
      step.width = 1;
      const Index middle = step.bin;
      for (Index part = -(kParts / 2); part <= kParts / 2; ++part) {
        if (part == 0) continue;
        const Index bin = (middle + part + bins()) % bins();
        headings_.push_back(
            {360.0 * static_cast<double>(bin) / static_cast<double>(bins()), bin, 1});
      }
    }
  }

  /// Whether the headings of this question are searched for.
  bool searched() const { return searched_; }
  Index rows() const { return static_cast<Index>(headings_.size()) * variants_; }
  Index variants() const { return variants_; }
  Index bins() const { return searched_ ? steps_ * kParts : 1; }

  const Heading& heading(Index row) const {
    return headings_[static_cast<std::size_t>(row / variants_)];
  }

  /// The logarithm of the prior of a row's heading, which is proportional to its arc; 0 for a whole
  /// step.
  double log_prior(Index row) const {
    if (!searched_) return 0;
    const Heading& arc = heading(row);
    const double of_arc = std::log(static_cast<double>(arc.width) / kParts);
    if (!given_) return of_arc;
    // The prior's density at the middle of the arc, blurred by the width of an arc.
    const double width = 360.0 * static_cast<double>(arc.width) / static_cast<double>(bins());
    const double variance = sigma_ * sigma_ + width * width / 12;
    const double off = std::remainder(arc.degrees - *given_, 360.0);
    return of_arc - off * off / (2 * variance) - std::log(variance) / 2;
  }

  /// Calls each(bin) for the bins of a heading's arc.
  template <class Each>
  void for_each_bin(const Heading& heading, const Each& each) const {
    ops::for_each_bin(heading.bin, heading.width, bins(), each);
  }

  /// Computes the posterior over the bins from the logarithms of the rows' masses, which include
  /// the prior.
  void posterior(std::span<const float> log_masses, std::vector<float>& probability) {
    posterior_of_headings(log_masses);
    probability.assign(static_cast<std::size_t>(bins()), 0.0F);
    for (std::size_t i = 0; i < headings_.size(); ++i) {
      for_each_bin(headings_[i], [&](Index bin) {
        probability[static_cast<std::size_t>(bin)] +=
            static_cast<float>(masses_[i] / static_cast<double>(headings_[i].width));
      });
    }
  }

 private:
  /// Sets masses_, one per heading; they sum to 1.
  void posterior_of_headings(std::span<const float> log_masses) {
    const double total = log_sum(log_masses);
    masses_.assign(headings_.size(), 0.0);
    for (std::size_t row = 0; row < log_masses.size(); ++row) {
      masses_[row / static_cast<std::size_t>(variants_)] +=
          std::exp(static_cast<double>(log_masses[row]) - total);
    }
  }

  Index steps_;
  Index variants_ = 1;
  bool searched_ = false;
  std::optional<double> given_;
  double sigma_ = 0;
  std::vector<Heading> headings_;
  std::vector<double> masses_;
};

}  // namespace crossfix::model
