#pragma once

#include <cstddef>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/reduce.cuh"
#include "crossfix/kernels/softmax/circle_cell.cuh"
#include "crossfix/ops/decode.hpp"

/// Decodes the raw outputs of the two heads to a posterior.
///
/// Tile: one image per block, one thread per cell, at most kDecodeThreads. Thread t owns cell t and
/// every further cell at a distance of the block's size. Shared memory: sums of the warps
/// (DecodeScratch), then the weights of all cells, later their probabilities, 4 bytes each. For
/// grids of more than kSharedCells cells the weights are kept in the output, in L2.
///
/// The radius: the mass within a circle increases with its radius, and its derivative is a sum over
/// the parts of the arc. Newton's method is used inside a bracket, starting from the radius that a
/// normal distribution with the same moments would have. The bracket is halved if a step leaves it
/// or is not at most half of the previous one. The block evaluates one radius at a time, each
/// thread for its own cells: evaluating many radii at once would multiply the work, which a single
/// multiprocessor does. Areas are in float, to about 1e-6 of a cell's mass. Their sum and the
/// moments are in double, because the share at a given radius must not depend on distant mass.
///
/// Bound: latency; three barriers before the radius, then one for each of its evaluations, usually
/// four to six. Not yet measured.
namespace crossfix::kernels {

using device::kWarp;

inline constexpr int kDecodeThreads = 1024;
/// Largest number of evaluations: each halves the step or the bracket.
inline constexpr int kRadiusEvaluations = 64;
/// Step size that ends the search, relative to the first bracket.
inline constexpr float kRadiusStep = 0x1p-22f;

struct DecodeBest {
  float logit;
  int cell;
};
__device__ __forceinline__ DecodeBest exchange(const DecodeBest& best, int distance) {
  return {device::exchange(best.logit, distance),
          __shfl_xor_sync(device::kAllLanes, best.cell, distance)};
}
/// The larger logit; the first if they are equal.
struct FirstLargest {
  __device__ __forceinline__ DecodeBest operator()(const DecodeBest& a, const DecodeBest& b) const {
    const bool other = b.logit > a.logit || (b.logit == a.logit && b.cell < a.cell);
    return other ? b : a;
  }
};

/// Sums over cells of p times powers of row and column.
struct DecodeMoments {
  double mass, row, col, row_row, row_col, col_col;
};
__device__ __forceinline__ DecodeMoments exchange(const DecodeMoments& m, int distance) {
  return {device::exchange(m.mass, distance),    device::exchange(m.row, distance),
          device::exchange(m.col, distance),     device::exchange(m.row_row, distance),
          device::exchange(m.row_col, distance), device::exchange(m.col_col, distance)};
}
__device__ __forceinline__ DecodeMoments operator+(const DecodeMoments& a, const DecodeMoments& b) {
  return {a.mass + b.mass,       a.row + b.row,         a.col + b.col,
          a.row_row + b.row_row, a.row_col + b.row_col, a.col_col + b.col_col};
}

/// Mass within a circle, and its derivative with respect to the radius.
struct DecodeMass {
  double inside;
  float slope;
};
__device__ __forceinline__ DecodeMass exchange(const DecodeMass& m, int distance) {
  return {device::exchange(m.inside, distance), device::exchange(m.slope, distance)};
}
__device__ __forceinline__ DecodeMass operator+(const DecodeMass& a, const DecodeMass& b) {
  return {a.inside + b.inside, a.slope + b.slope};
}

/// One slot for each sum over the block, and two for the mass, so that no slot is written while it
/// is read.
struct DecodeScratch {
  DecodeBest best[kWarp];
  float sum[kWarp];
  DecodeMoments moments[kWarp];
  DecodeMass mass[2][kWarp];
};

/// Largest number of cells whose weights are kept in shared memory; for more cells they are kept in
/// the memory of the probabilities.
inline constexpr Index kSharedCells = 96 * 96;

constexpr std::size_t decode_shared_bytes(Index cells) {
  const Index kept = cells <= kSharedCells ? cells : 0;
  return sizeof(DecodeScratch) + static_cast<std::size_t>(kept) * sizeof(float);
}

/// Views of one batch, contiguous (ops/decode.hpp).
struct DecodeBatch {
  const float* logits;   ///< [batch, cells]
  float* offsets;        ///< [batch, cells, 2]
  float* probability;    ///< [batch, cells]
  ops::DecodedFix* fix;  ///< [batch]
  int grid;
  float scale;  ///< log2(e) / temperature
  ops::FixRule rule;
  bool sigmoid;  ///< whether the offsets are raw
};

__device__ __forceinline__ float sigmoid(float x) {
  return 1.0f / (1.0f + device::exp2_approx(-x * kLog2E));
}

/// Weighted positions, cells.
struct DecodePosition {
  float weight, row, col;
};
__device__ __forceinline__ DecodePosition exchange(const DecodePosition& p, int distance) {
  return {device::exchange(p.weight, distance), device::exchange(p.row, distance),
          device::exchange(p.col, distance)};
}
__device__ __forceinline__ DecodePosition operator+(const DecodePosition& a,
                                                    const DecodePosition& b) {
  return {a.weight + b.weight, a.row + b.row, a.col + b.col};
}

/// An offset in cells.
__device__ __forceinline__ float in_cells(float offset, bool raw) {
  return raw ? sigmoid(offset) : offset;
}

/// The position of the fix, computed from the original offsets and returned in every lane of every
/// warp. One lane handles each of the best cell and its eight neighbours.
__device__ __forceinline__ DecodePosition position_of(const float* logits, const float* offsets,
                                                      int grid, const DecodeBest& best,
                                                      ops::FixRule rule, bool raw) {
  constexpr int kNeighbourhood = 9;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int row = best.cell / grid + lane / 3 - 1;
  const int col = best.cell % grid + lane % 3 - 1;
  const bool own = lane == kNeighbourhood / 2;
  const bool there = lane < kNeighbourhood && row >= 0 && row < grid && col >= 0 && col < grid &&
                     (own || rule == ops::FixRule::neighbourhood);
  DecodePosition position{0.0f, 0.0f, 0.0f};
  if (there) {
    const int cell = row * grid + col;
    const float below = logits[cell] - best.logit;
    // A neighbour whose logit is NaN has no weight.
    position.weight = own ? 1.0f : below <= 0.0f ? device::exp2_approx(below * kLog2E) : 0.0f;
    // Relative to the corner of the best cell, where floats have a finer resolution.
    position.row =
        position.weight * (static_cast<float>(lane / 3 - 1) + in_cells(offsets[2 * cell], raw));
    position.col =
        position.weight * (static_cast<float>(lane % 3 - 1) + in_cells(offsets[2 * cell + 1], raw));
  }
  const DecodePosition sum = device::across_lanes(position, kWarp, device::Add{});
  return {sum.weight, static_cast<float>(best.cell / grid) + sum.row / sum.weight,
          static_cast<float>(best.cell % grid) + sum.col / sum.weight};
}

/// A posterior. ops::kCellMassSide defines how the mass of each cell is distributed.
struct DecodePosterior {
  const float* probability;  ///< [cells]
  const float* offsets;      ///< [cells, 2], in cells; each thread reads those that it wrote
  int grid;
};

/// This thread's part of the mass within `radius` of (row, col).
__device__ __forceinline__ DecodeMass mass_within(const DecodePosterior& posterior, float row,
                                                  float col, float radius) {
  // scales the squares to side 1
  constexpr auto kUnit = static_cast<float>(1.0 / ops::kCellMassSide);
  const int grid = posterior.grid;
  DecodeMass mass{0.0, 0.0f};
  for (int i = static_cast<int>(threadIdx.x); i < grid * grid; i += static_cast<int>(blockDim.x)) {
    const float from_row = static_cast<float>(i / grid) - row + posterior.offsets[2 * i];
    const float from_col = static_cast<float>(i % grid) - col + posterior.offsets[2 * i + 1];
    const CirclePart part =
        circle_cell(kUnit * radius, kUnit * from_col - 0.5f, kUnit * from_row - 0.5f);
    mass.inside += static_cast<double>(posterior.probability[i] * part.area);
    mass.slope += posterior.probability[i] * kUnit * part.arc;
  }
  return mass;
}

/// The smallest radius about (row, col) that holds ops::kRadiusShare of the posterior, returned in
/// every thread; NaN if the posterior contains NaN. `mean_square` is the posterior's mean square
/// distance from (row, col).
__device__ __forceinline__ float radius_of(const DecodePosterior& posterior, float row, float col,
                                           float mean_square, DecodeScratch& scratch) {
  // Upper bound by Markov's inequality: the mass beyond r is at most mean_square / r^2.
  constexpr auto kFarthest = static_cast<float>(1.002 / (1.0 - ops::kRadiusShare));
  // An isotropic normal distribution has the share within r^2 = -ln(1 - share) mean_square.
  constexpr float kNormal = 1.1394343f;
  float low = 0.0f;
  float high = sqrtf(kFarthest * mean_square);
  const float least_step = kRadiusStep * high;
  float radius = sqrtf(kNormal * mean_square);
  float last_step = high;
  for (int k = 0; k < kRadiusEvaluations; ++k) {
    const DecodeMass mass =
        device::across_block(mass_within(posterior, row, col, radius), scratch.mass[k % 2],
                             DecodeMass{0.0, 0.0f}, device::Add{});
    if (mass.inside != mass.inside) return static_cast<float>(mass.inside);
    const auto excess = static_cast<float>(mass.inside - ops::kRadiusShare);
    (excess < 0.0f ? low : high) = radius;
    const float step = excess / mass.slope;
    if (fabsf(step) <= least_step || high - low <= least_step) break;
    const float next = radius - step;
    const bool newton = next > low && next < high && 2.0f * fabsf(step) <= last_step;
    last_step = newton ? fabsf(step) : 0.5f * (high - low);
    radius = newton ? next : 0.5f * (low + high);
  }
  return radius;
}

__global__ void __launch_bounds__(kDecodeThreads) decode_image(const DecodeBatch batch) {
  auto& scratch = *reinterpret_cast<DecodeScratch*>(device::shared_memory());
  const int thread = static_cast<int>(threadIdx.x);
  const int grid = batch.grid;
  const int cells = grid * grid;
  const Index image = blockIdx.x;
  const float* logits = batch.logits + image * cells;
  float* probability = batch.probability + image * cells;
  float* values = cells <= kSharedCells
                      ? reinterpret_cast<float*>(device::shared_memory() + sizeof(DecodeScratch))
                      : probability;
  float* offsets = batch.offsets + image * cells * 2;
  const auto for_own_cells = [&](const auto& each) {
    for (int i = thread; i < cells; i += static_cast<int>(blockDim.x)) each(i);
  };

  DecodeBest own{-__builtin_inff(), thread};
  for_own_cells([&](int i) {
    if (logits[i] > own.logit) own = {logits[i], i};
  });
  const DecodeBest none{-__builtin_inff(), cells};
  const DecodeBest best = device::across_block(own, scratch.best, none, FirstLargest{});

  // Read before the barriers below; after them the offsets are overwritten.
  const auto [weight, row, col] =
      position_of(logits, offsets, grid, best, batch.rule, batch.sigmoid);

  float own_sum = 0.0f;
  for_own_cells([&](int i) {
    values[i] = device::exp2_approx((logits[i] - best.logit) * batch.scale);
    own_sum += values[i];
  });
  const float sum = device::across_block(own_sum, scratch.sum, 0.0f, device::Add{});

  DecodeMoments sums{};
  for_own_cells([&](int i) {
    values[i] /= sum;
    probability[i] = values[i];
    offsets[2 * i] = in_cells(offsets[2 * i], batch.sigmoid);
    offsets[2 * i + 1] = in_cells(offsets[2 * i + 1], batch.sigmoid);
    const double p = values[i];
    const double r = i / grid + static_cast<double>(offsets[2 * i]);
    const double c = i % grid + static_cast<double>(offsets[2 * i + 1]);
    sums = sums + DecodeMoments{p, p * r, p * c, p * r * r, p * r * c, p * c * c};
  });
  const DecodeMoments moments =
      device::across_block(sums, scratch.moments, DecodeMoments{}, device::Add{});
  constexpr double kWithin =
      ops::kCellMassSide * ops::kCellMassSide / 12.0;  // variance over the square
  const double mean_row = moments.row / moments.mass;
  const double mean_col = moments.col / moments.mass;
  const double row_row = moments.row_row / moments.mass - mean_row * mean_row + kWithin;
  const double row_col = moments.row_col / moments.mass - mean_row * mean_col;
  const double col_col = moments.col_col / moments.mass - mean_col * mean_col + kWithin;

  const auto away_row = static_cast<float>(mean_row - static_cast<double>(row));
  const auto away_col = static_cast<float>(mean_col - static_cast<double>(col));
  const float mean_square =
      static_cast<float>(row_row + col_col) + away_row * away_row + away_col * away_col;
  const float radius = radius_of({values, offsets, grid}, row, col, mean_square, scratch);
  if (thread == 0) {
    batch.fix[image] = {.cell = best.cell,
                        .row = row,
                        .col = col,
                        .covariance = {static_cast<float>(row_row), static_cast<float>(row_col),
                                       static_cast<float>(col_col)},
                        .radius = radius};
  }
}

}  // namespace crossfix::kernels
