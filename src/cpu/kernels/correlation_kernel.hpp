#pragma once

#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// A view slid along one row of a tile. Each row of the tile is used for all shifts before the next
/// row, so that it stays in L1. A block of shifts shares each load of the view.
template <class Simd>
struct Correlation {
  using Floats = typename Simd::Floats;
  static constexpr Index kLanes = Simd::kLanes;
  /// sums held in registers together with a vector of the view
  static constexpr Index kShifts = 8;

  static void run(const CorrelationRow& row) {
    for (Index i = 0; i < row.count * kLanes; ++i) row.sums[i] = 0.0f;
    for (Index r = 0; r < row.rows; ++r) {
      const float* tile = row.tile + r * row.tile_stride;
      const float* view = row.view + r * row.view_stride;
      Index shift = 0;
      for (; shift + kShifts <= row.count; shift += kShifts) {
        block<kShifts>(row, tile, view, row.begin[r], row.end[r], shift);
      }
      for (; shift < row.count; ++shift) block<1>(row, tile, view, row.begin[r], row.end[r], shift);
    }
    for (Index shift = 0; shift < row.count; ++shift) {
      row.products[shift] = Simd::sum(Simd::load(row.sums + shift * kLanes));
    }
  }

 private:
  /// Adds the contribution of one row to the products of `kCount` shifts. Reads up to one vector
  /// beyond `end`.
  template <Index kCount>
  static void block(const CorrelationRow& row, const float* tile, const float* view, Index begin,
                    Index end, Index shift) {
    Floats sums[kCount];
    for (Index i = 0; i < kCount; ++i) sums[i] = Simd::load(row.sums + (shift + i) * kLanes);
    const float* from = tile + shift * row.step;
    for (Index c = begin; c < end; c += kLanes) {
      const Floats weights = Simd::load(view + c);
      for (Index i = 0; i < kCount; ++i) {
        sums[i] = Simd::multiply_add(Simd::load(from + i * row.step + c), weights, sums[i]);
      }
    }
    for (Index i = 0; i < kCount; ++i) Simd::store(row.sums + (shift + i) * kLanes, sums[i]);
  }
};

}  // namespace crossfix::cpu::kernels
