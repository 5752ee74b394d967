#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/posterior.hpp"

namespace crossfix::ops {

/// Hypotheses of a posterior, at most.
inline constexpr std::size_t kMostHypotheses = 5;

/// The least share of the posterior that a hypothesis has, but for the first: a smaller one is
/// hardly worth a look, and a flat posterior is made of nothing else.
inline constexpr double kLeastShare = 0.02;

/// The radius of a hypothesis, metres where the scale is known: whoever stands farther off stands
/// on another lane.
inline constexpr double kHypothesisMetres = 3;
/// The same in sides of the grid, where it is not: 3 m of a tile of 75 m.
inline constexpr double kHypothesisSides = 1.0 / 25;
/// The same in cells, at least: the neighbours of a cell share the mass of a camera near its edge
/// or corner, and their middles lie up to sqrt(2) away.
inline constexpr double kHypothesisCells = 1.5;

/// The radius of a hypothesis in cells; `metres_per_cell` where known.
inline double hypothesis_radius(Index grid, std::optional<double> metres_per_cell) {
  const double wanted = metres_per_cell ? kHypothesisMetres / *metres_per_cell
                                        : kHypothesisSides * static_cast<double>(grid);
  return std::max(kHypothesisCells, wanted);
}

/// One position where a camera may have stood, lengths in cells of the grid.
struct GridHypothesis {
  Index peak = 0;    ///< its most likely cell, row * grid + column
  double row = 0;    ///< mean of its cells' positions, weighted by their mass
  double col = 0;    ///< likewise
  double share = 0;  ///< of the posterior
};

/// The hypotheses of a posterior over a grid. The most likely cell (the first, of equal ones) and
/// all cells whose position (cell_position) is within `radius` of its own make the first; the most
/// likely of the other cells, and those about it, make the next; and so on, up to
/// `kMostHypotheses`, until one has less than `kLeastShare`. No cell belongs to two. A cell that is
/// NaN or has no mass belongs to none, so that a posterior of NaN has no hypotheses. Offsets lie
/// within [0, 1]. Allocates nothing; looks at the memory of `posterior` for as long as it lives.
class GridHypotheses {
 public:
  GridHypotheses() = default;

  /// `radius` in cells, finite and above 0.
  GridHypotheses(const Posterior& posterior, double radius)
      : posterior_(posterior), radius_(radius) {
    while (count_ < kMostHypotheses) {
      GridHypothesis& next = found_[count_];
      next = {};
      const std::optional<Index> peak = next_peak();
      if (!peak) return;
      next.peak = *peak;
      for_each_cell(count_, [&](Index cell) {
        const double mass = mass_of(cell);
        const auto [row, col] = position_of(cell);
        next.share += mass;
        next.row += mass * row;
        next.col += mass * col;
      });
      if (count_ > 0 && next.share < kLeastShare) return;
      next.row /= next.share;
      next.col /= next.share;
      ++count_;
    }
  }

  /// In the order in which they were found, by falling probability of their peaks.
  std::span<const GridHypothesis> found() const { return std::span(found_).first(count_); }

  /// each(cell) for the cells of hypothesis `index`.
  template <class Each>
  void for_each_cell(std::size_t index, const Each& each) const {
    const Index grid = posterior_.grid;
    const Index row = found_[index].peak / grid;
    const Index col = found_[index].peak % grid;
    const auto reach = static_cast<Index>(std::min(radius_, static_cast<double>(grid))) + 2;
    for (Index r = std::max<Index>(row - reach, 0); r <= std::min(row + reach, grid - 1); ++r) {
      for (Index c = std::max<Index>(col - reach, 0); c <= std::min(col + reach, grid - 1); ++c) {
        const Index cell = r * grid + c;
        if (mass_of(cell) > 0 && near(found_[index], cell) && !taken(cell, index)) each(cell);
      }
    }
  }

 private:
  double mass_of(Index cell) const {
    return static_cast<double>(posterior_.probability[static_cast<std::size_t>(cell)]);
  }
  std::array<double, 2> position_of(Index cell) const {
    return cell_position(posterior_.offsets, posterior_.grid, cell / posterior_.grid,
                         cell % posterior_.grid);
  }

  /// Whether a cell lies within the radius about a hypothesis' peak. The peak does, be its offsets
  /// NaN.
  bool near(const GridHypothesis& hypothesis, Index cell) const {
    if (cell == hypothesis.peak) return true;
    const auto [row, col] = position_of(cell);
    const auto [peak_row, peak_col] = position_of(hypothesis.peak);
    const double away_row = row - peak_row;
    const double away_col = col - peak_col;
    return away_row * away_row + away_col * away_col <= radius_ * radius_;
  }
  /// Whether a cell belongs to one of the first `count` hypotheses.
  bool taken(Index cell, std::size_t count) const {
    return std::any_of(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](const GridHypothesis& each) { return near(each, cell); });
  }

  std::optional<Index> next_peak() const {
    std::optional<Index> peak;
    double highest = 0;
    for (Index cell = 0; cell < posterior_.grid * posterior_.grid; ++cell) {
      if (mass_of(cell) > highest && !taken(cell, count_)) {
        highest = mass_of(cell);
        peak = cell;
      }
    }
    return peak;
  }

  Posterior posterior_;
  double radius_ = 0;
  std::array<GridHypothesis, kMostHypotheses> found_{};
  std::size_t count_ = 0;
};

}  // namespace crossfix::ops
