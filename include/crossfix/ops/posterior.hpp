#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/decoder.hpp"

namespace crossfix::ops {

/// probability = softmax(logits / temperature); sums in double. Sizes must agree.
inline void softmax(std::span<const float> logits, double temperature,
                    std::span<float> probability) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp((logit - largest) / temperature);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probability[i] = static_cast<float>(std::exp((logits[i] - largest) / temperature) / sum);
  }
}

/// Where a camera stood, (row, col) in cells, by `rule`: `logits` [cells], `offsets` [cells, 2] in cells,
/// `best` the first cell of the largest logit. A neighbour that is NaN has no weight.
inline std::array<double, 2> fix_position(std::span<const float> logits,
                                          std::span<const float> offsets, Index grid, Index best,
                                          FixRule rule) {
  const auto position = [&](Index cell) {
    const auto at = static_cast<std::size_t>(2 * cell);
    return std::array<double, 2>{static_cast<double>(cell / grid) + offsets[at],
                                 static_cast<double>(cell % grid) + offsets[at + 1]};
  };
  std::array<double, 2> sum = position(best);
  if (rule == FixRule::best_cell) return sum;
  double total = 1;  // weights are relative to the best cell's
  const Index row = best / grid;
  const Index col = best % grid;
  for (Index r = std::max<Index>(row - 1, 0); r <= std::min(row + 1, grid - 1); ++r) {
    for (Index c = std::max<Index>(col - 1, 0); c <= std::min(col + 1, grid - 1); ++c) {
      const Index cell = r * grid + c;
      const double below = static_cast<double>(logits[static_cast<std::size_t>(cell)]) -
                           logits[static_cast<std::size_t>(best)];
      if (cell == best || !(below <= 0)) continue;
      const double weight = std::exp(below);
      const auto [y, x] = position(cell);
      total += weight;
      sum[0] += weight * y;
      sum[1] += weight * x;
    }
  }
  return {sum[0] / total, sum[1] / total};
}

/// Area of the part of the rectangle [x0, x1] x [y0, y1] within a circle of `radius` about the origin.
inline double circle_rectangle_area(double radius, double x0, double x1, double y0, double y1) {
  // Area within [0, x] x [0, y], odd in x and in y: the rectangle's is its difference at the corners.
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

/// Mean and spread of a posterior over a grid, lengths in cells.
struct Spread {
  double mean_row = 0;
  double mean_col = 0;
  std::array<double, 3> covariance{};  ///< row-row, row-col, col-col, about the mean, cells^2
};

/// Moments of `probability` [grid, grid], each cell's mass spread evenly over the cell.
inline Spread spread_of(std::span<const float> probability, Index grid) {
  double mass = 0;
  Spread spread;
  std::array<double, 3> second{};
  for (Index i = 0; i < grid * grid; ++i) {
    const double p = probability[static_cast<std::size_t>(i)];
    const double row = static_cast<double>(i / grid) + 0.5;
    const double col = static_cast<double>(i % grid) + 0.5;
    mass += p;
    spread.mean_row += p * row;
    spread.mean_col += p * col;
    second[0] += p * row * row;
    second[1] += p * row * col;
    second[2] += p * col * col;
  }
  spread.mean_row /= mass;
  spread.mean_col /= mass;
  constexpr double kWithinCell = 1.0 / 12.0;  // variance of an even spread over one cell
  spread.covariance = {second[0] / mass - spread.mean_row * spread.mean_row + kWithinCell,
                       second[1] / mass - spread.mean_row * spread.mean_col,
                       second[2] / mass - spread.mean_col * spread.mean_col + kWithinCell};
  return spread;
}

/// Share of the posterior within `radius` (cells) of (row, col), each cell's mass spread evenly.
inline double mass_within(std::span<const float> probability, Index grid, double row, double col,
                          double radius) {
  double mass = 0;
  for (Index r = 0; r < grid; ++r) {
    const double y0 = static_cast<double>(r) - row;
    const double near_y = std::max({y0, -(y0 + 1), 0.0});
    if (near_y >= radius) continue;
    const double far_y = std::max(std::abs(y0), std::abs(y0 + 1));
    for (Index c = 0; c < grid; ++c) {
      const double p = probability[static_cast<std::size_t>(r * grid + c)];
      const double x0 = static_cast<double>(c) - col;
      const double near_x = std::max({x0, -(x0 + 1), 0.0});
      const double far_x = std::max(std::abs(x0), std::abs(x0 + 1));
      if (far_x * far_x + far_y * far_y <= radius * radius) {
        mass += p;
      } else if (near_x * near_x + near_y * near_y < radius * radius) {
        mass += p * circle_rectangle_area(radius, x0, x0 + 1, y0, y0 + 1);
      }
    }
  }
  return mass;
}

/// The smallest radius (cells) of a circle about (row, col) that holds `share` of the posterior.
inline double radius_of(std::span<const float> probability, Index grid, double row, double col,
                        double share) {
  const double side = static_cast<double>(grid);
  double low = 0;
  double high = std::hypot(std::max(row, side - row), std::max(col, side - col));
  constexpr int kHalvings = 40;  // to a 1e-12th of the grid
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    // Where the posterior is NaN nothing is held, and the radius is the whole grid's.
    (mass_within(probability, grid, row, col, middle) >= share ? high : low) = middle;
  }
  return high;
}

}  // namespace crossfix::ops
