#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/heading.hpp"
#include "crossfix/ops/hypotheses.hpp"
#include "crossfix/ops/posterior.hpp"

namespace crossfix::ops {

/// What a posterior over poses (heading and position) says beyond its marginals, summed up from the
/// maps of its headings, one after another: how position and heading vary together, and the
/// headings of hypotheses. Headings are even bins clockwise from north, the first about north.
/// Reused it allocates nothing for no more bins.
class PoseSums {
 public:
  /// Begins a posterior over `bins` headings and the cells of `positions`, its marginal, whose
  /// hypotheses are given.
  void start(const Posterior& positions, const GridHypotheses& hypotheses, Index bins) {
    positions_ = positions;
    hypotheses_ = hypotheses;
    bins_.assign(static_cast<std::size_t>(bins), {});
  }

  /// Adds the same map to all bins of an arc (for_each_bin): `mass` [cells] is each bin's.
  void add(Index middle, Index width, std::span<const float> mass) {
    Bin sums;
    const Index grid = positions_.grid;
    for_each_cell(Posterior{mass, positions_.offsets, grid}, [&](double p, double row, double col) {
      sums.mass += p;
      sums.row += p * row;
      sums.col += p * col;
    });
    for (std::size_t i = 0; i < hypotheses_.found().size(); ++i) {
      hypotheses_.for_each_cell(
          i, [&](Index cell) { sums.of_hypotheses[i] += mass[static_cast<std::size_t>(cell)]; });
    }
    for_each_bin(middle, width, static_cast<Index>(bins_.size()), [&](Index bin) {
      Bin& to = bins_[static_cast<std::size_t>(bin)];
      to.mass += sums.mass;
      to.row += sums.row;
      to.col += sums.col;
      for (std::size_t i = 0; i < kMostHypotheses; ++i) {
        to.of_hypotheses[i] += sums.of_hypotheses[i];
      }
    });
  }

  /// Covariances of row and heading, and of column and heading, cells times degrees; a heading is
  /// how far it is off `degrees`, clockwise, within half a turn.
  std::array<double, 2> covariance(double degrees) const {
    Bin all;
    for (const Bin& bin : bins_) {
      all.mass += bin.mass;
      all.row += bin.row;
      all.col += bin.col;
    }
    std::array<double, 2> sum{};
    const double step = 360.0 / static_cast<double>(bins_.size());
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      const double off = std::remainder(step * static_cast<double>(i) - degrees, 360.0);
      sum[0] += off * (bins_[i].row - all.row / all.mass * bins_[i].mass);
      sum[1] += off * (bins_[i].col - all.col / all.mass * bins_[i].mass);
    }
    return {sum[0] / all.mass, sum[1] / all.mass};
  }

  /// The most likely heading (circular_mean) of a camera within hypothesis `index`, degrees.
  double heading(std::size_t index) {
    marginal_.clear();
    for (const Bin& bin : bins_) marginal_.push_back(bin.of_hypotheses[index]);
    return circular_mean(marginal_).degrees;
  }

 private:
  struct Bin {
    double mass = 0;
    double row = 0;                                      ///< times mass, cells
    double col = 0;                                      ///< likewise
    std::array<float, kMostHypotheses> of_hypotheses{};  ///< mass within each
  };

  Posterior positions_;
  GridHypotheses hypotheses_;
  std::vector<Bin> bins_;
  std::vector<float> marginal_;
};

}  // namespace crossfix::ops
