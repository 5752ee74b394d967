#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::ops {

/// probability = softmax(logits / temperature), with sums in double. Sizes must be equal.
inline void softmax(std::span<const float> logits, double temperature,
                    std::span<float> probability) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp((logit - largest) / temperature);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probability[i] = static_cast<float>(std::exp((logits[i] - largest) / temperature) / sum);
  }
}

/// The position that cell (row, col) gives, in cells: its corner plus its offset. `offsets` is
/// [cells, 2], in cells.
inline std::array<double, 2> cell_position(std::span<const float> offsets, Index grid, Index row,
                                           Index col) {
  const auto at = static_cast<std::size_t>(2 * (row * grid + col));
  return {static_cast<double>(row) + offsets[at], static_cast<double>(col) + offsets[at + 1]};
}

/// The camera's position, (row, col) in cells, by `rule`. `logits` is [cells], `offsets` [cells, 2]
/// in cells, `best` the first cell with the largest logit. A neighbour whose logit is NaN has no
/// weight.
inline std::array<double, 2> fix_position(std::span<const float> logits,
                                          std::span<const float> offsets, Index grid, Index best,
                                          FixRule rule) {
  const Index row = best / grid;
  const Index col = best % grid;
  std::array<double, 2> sum = cell_position(offsets, grid, row, col);
  if (rule == FixRule::best_cell) return sum;
  double total = 1;  // weights are relative to that of the best cell
  for (Index r = std::max<Index>(row - 1, 0); r <= std::min(row + 1, grid - 1); ++r) {
    for (Index c = std::max<Index>(col - 1, 0); c <= std::min(col + 1, grid - 1); ++c) {
      const Index cell = r * grid + c;
      const double below = static_cast<double>(logits[static_cast<std::size_t>(cell)]) -
                           logits[static_cast<std::size_t>(best)];
      if (cell == best || !(below <= 0)) continue;
      const double weight = std::exp(below);
      const auto [y, x] = cell_position(offsets, grid, r, c);
      total += weight;
      sum[0] += weight * y;
      sum[1] += weight * x;
    }
  }
  return {sum[0] / total, sum[1] / total};
}

/// Area of the part of the rectangle [x0, x1] x [y0, y1] within a circle of `radius` about the
/// origin.
inline double circle_rectangle_area(double radius, double x0, double x1, double y0, double y1) {
  // Area within [0, x] x [0, y], an odd function of x and of y. The area of the rectangle is a
  // difference of its values at the four corners.
  const auto quadrant = [radius](double x, double y) {
    const double sign = (x < 0) != (y < 0) ? -1.0 : 1.0;
    x = std::min(std::abs(x), radius);
    y = std::min(std::abs(y), radius);
    if (x * x + y * y <= radius * radius) return sign * x * y;
    const auto primitive = [radius](double t) {  // of sqrt(radius^2 - t^2)
      return 0.5 * (t * std::sqrt(std::max(0.0, radius * radius - t * t)) +
                    radius * radius * std::asin(std::min(1.0, t / radius)));
    };
    const double corner = std::sqrt(std::max(0.0, radius * radius - y * y));
    return sign * (y * corner + primitive(x) - primitive(corner));
  };
  return quadrant(x1, y1) - quadrant(x0, y1) - quadrant(x1, y0) + quadrant(x0, y0);
}

/// A posterior over a grid, row-major. `kCellMassSide` defines how the mass of each cell is
/// distributed.
struct Posterior {
  std::span<const float> probability = {};  ///< [cells]
  std::span<const float> offsets = {};      ///< [cells, 2], (row, col) in cells
  Index grid = 0;
};

/// Calls each(p, row, col) with the mass of every cell and its position in cells.
template <class Each>
void for_each_cell(const Posterior& posterior, const Each& each) {
  for (Index r = 0; r < posterior.grid; ++r) {
    for (Index c = 0; c < posterior.grid; ++c) {
      const auto [row, col] = cell_position(posterior.offsets, posterior.grid, r, c);
      each(static_cast<double>(
               posterior.probability[static_cast<std::size_t>(r * posterior.grid + c)]),
           row, col);
    }
  }
}

/// Mean and covariance of a posterior over a grid, lengths in cells.
struct Moments {
  double mean_row = 0;
  double mean_col = 0;
  std::array<double, 3> covariance{};  ///< row-row, row-col, col-col, about the mean, cells^2
};

/// Moments of a posterior.
inline Moments moments_of(const Posterior& posterior) {
  double mass = 0;
  Moments moments;
  std::array<double, 3> second{};
  for_each_cell(posterior, [&](double p, double row, double col) {
    mass += p;
    moments.mean_row += p * row;
    moments.mean_col += p * col;
    second[0] += p * row * row;
    second[1] += p * row * col;
    second[2] += p * col * col;
  });
  moments.mean_row /= mass;
  moments.mean_col /= mass;
  constexpr double kWithin = kCellMassSide * kCellMassSide / 12.0;  // variance over the square
  moments.covariance = {second[0] / mass - moments.mean_row * moments.mean_row + kWithin,
                        second[1] / mass - moments.mean_row * moments.mean_col,
                        second[2] / mass - moments.mean_col * moments.mean_col + kWithin};
  return moments;
}

/// Share of a posterior within `radius` (cells) of (row, col).
inline double mass_within(const Posterior& posterior, double row, double col, double radius) {
  double mass = 0;
  for_each_cell(posterior, [&](double p, double y, double x) {
    const double from_row = std::abs(y - row);
    const double from_col = std::abs(x - col);
    constexpr double kHalf = kCellMassSide / 2;
    const double near_row = std::max(from_row - kHalf, 0.0);
    const double near_col = std::max(from_col - kHalf, 0.0);
    if (near_row * near_row + near_col * near_col >= radius * radius) return;
    const double far_row = from_row + kHalf;
    const double far_col = from_col + kHalf;
    if (far_row * far_row + far_col * far_col <= radius * radius) {
      mass += p;
    } else {
      mass += p / (kCellMassSide * kCellMassSide) *
              circle_rectangle_area(radius, from_col - kHalf, far_col, from_row - kHalf, far_row);
    }
  });
  return mass;
}

/// The smallest radius (cells) of a circle about (row, col) that holds `share` of a posterior; NaN
/// if the posterior is NaN.
inline double radius_of(const Posterior& posterior, double row, double col, double share) {
  const Moments moments = moments_of(posterior);
  const double away_row = moments.mean_row - row;
  const double away_col = moments.mean_col - col;
  // Upper bound by Markov's inequality: the mass beyond r is at most the mean square distance over
  // r^2.
  const double mean_square =
      moments.covariance[0] + moments.covariance[2] + away_row * away_row + away_col * away_col;
  double low = 0;
  double high = 1.001 * std::sqrt(mean_square / (1 - share));
  constexpr int kHalvings = 40;  // to a relative 1e-12
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    (mass_within(posterior, row, col, middle) >= share ? high : low) = middle;
  }
  return high;
}

}  // namespace crossfix::ops
