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

/// The headings of a question, coarse to fine: even steps from north first, then the most likely of
/// those in parts. Each heading stands for an arc of `width` bins about it, of `bins()` even ones
/// from north, the first about north; together they cover the circle once. Each has as many rows of
/// scores as there are ratios of height and scale. Reused from question to question it allocates
/// nothing.
class HeadingSearch {
 public:
  static constexpr Index kParts = 3;    ///< of a step, odd
  static constexpr Index kRefined = 3;  ///< steps that are taken in parts, at most

  struct Heading {
    double degrees;  ///< of the arc's middle, clockwise from north
    Index bin;       ///< of the middle
    Index width;     ///< bins: kParts of a step, 1 of a part
  };

  /// Rows there are at most.
  static constexpr Index most_rows(Index steps, Index ratios) {
    return (steps + kRefined * (kParts - 1)) * ratios;
  }

  HeadingSearch(Index steps, Index ratios) : steps_(steps), ratios_(ratios) {
    headings_.reserve(static_cast<std::size_t>(most_rows(steps, 1)));
    masses_.reserve(headings_.capacity());
  }

  /// log(sum of exp).
  static double log_sum(std::span<const float> values) {
    const double largest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const float value : values) sum += std::exp(static_cast<double>(value) - largest);
    return largest + std::log(sum);
  }

  /// Begins with the one heading that is known, or with all steps.
  void start(std::optional<double> known) {
    headings_.clear();
    searched_ = !known.has_value();
    // Whole turns are taken off before poses round to floats.
    if (known) headings_.push_back({std::remainder(*known, 360.0), 0, 1});
    for (Index i = 0; searched_ && i < steps_; ++i) {
      headings_.push_back(
          {360.0 * static_cast<double>(i) / static_cast<double>(steps_), i * kParts, kParts});
    }
  }

  /// Takes the most likely steps apart, by the logarithms of the rows' masses (any common offset):
  /// the step itself stays, as the middle part, and the others are appended. Nothing of a heading
  /// that is known.
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

  Index rows() const { return static_cast<Index>(headings_.size()) * ratios_; }
  Index ratios() const { return ratios_; }
  Index bins() const { return searched_ ? steps_ * kParts : 1; }

  const Heading& heading(Index row) const {
    return headings_[static_cast<std::size_t>(row / ratios_)];
  }

  /// The logarithm of how likely a row's heading is beforehand: by its arc, a step's being 1.
  double log_prior(Index row) const {
    return searched_ ? std::log(static_cast<double>(heading(row).width) / kParts) : 0.0;
  }

  /// each(bin) for the bins of a heading's arc.
  template <class Each>
  void for_each_bin(const Heading& heading, const Each& each) const {
    ops::for_each_bin(heading.bin, heading.width, bins(), each);
  }

  /// The posterior over the bins out of the logarithms of the rows' masses, the prior in them.
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
  /// masses_: of each heading, sums to 1.
  void posterior_of_headings(std::span<const float> log_masses) {
    const double total = log_sum(log_masses);
    masses_.assign(headings_.size(), 0.0);
    for (std::size_t row = 0; row < log_masses.size(); ++row) {
      masses_[row / static_cast<std::size_t>(ratios_)] +=
          std::exp(static_cast<double>(log_masses[row]) - total);
    }
  }

  Index steps_;
  Index ratios_;
  bool searched_ = false;
  std::vector<Heading> headings_;
  std::vector<double> masses_;
};

}  // namespace crossfix::model
