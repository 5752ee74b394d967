#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "crossfix/core/math.hpp"
#include "crossfix/cpu/ground.hpp"
#include "kernels/select.hpp"
#include "threads.hpp"

namespace crossfix::cpu {
namespace {

/// Sums over rectangles of a map with four reads each (a summed-area table). They are in double, so
/// that the differences are exact enough.
class RectangleSums {
 public:
  RectangleSums(double* room, Index rows, Index cols) : sums_(room), rows_(rows), cols_(cols) {}
  static Index elements(Index rows, Index cols) { return (rows + 1) * (cols + 1); }

  template <class Value>
  void fill(Value&& value) {
    std::fill_n(sums_, cols_ + 1, 0.0);
    for (Index i = 0; i < rows_; ++i) {
      double row = 0;
      sums_[(i + 1) * (cols_ + 1)] = 0;
      for (Index j = 0; j < cols_; ++j) {
        row += static_cast<double>(value(i, j));
        sums_[(i + 1) * (cols_ + 1) + j + 1] = sums_[i * (cols_ + 1) + j + 1] + row;
      }
    }
  }
  /// The sum over rows [top, bottom) and columns [left, right).
  double operator()(Index top, Index bottom, Index left, Index right) const {
    const auto at = [this](Index i, Index j) { return sums_[i * (cols_ + 1) + j]; };
    return at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
  }

 private:
  double* sums_;
  Index rows_;
  Index cols_;
};

/// Scratch memory of a correlation, laid out from its start.
struct Rooms {
  float* tile;  ///< [height + h - 1, width + w - 1, c], padded with zeros
  /// [height + h - 1, width + w - 1], sums of squares over the channels of the padded tile
  float* energy;
  float* view;         ///< [h, w x c rounded up], weighted
  float* weights;      ///< [h, w rounded up]
  float* tile_energy;  ///< [height, width]
  float* sums;         ///< [width, vector], per thread
  double* view_sums;
  double* weight_sums;
  Index* spans;  ///< begin and end of a view's rows, in cells, then in floats
  std::size_t bytes;
  Index pitch, weight_pitch, padded_width;

  Rooms(std::byte* base, const Shape<3>& tile_shape, const Shape<4>& views, int threads) {
    constexpr Index kMore = kernels::kWidestVector;
    const Index h = views[1], w = views[2], c = views[3];
    const Index rows = tile_shape[0] + h - 1;
    padded_width = tile_shape[1] + w - 1;
    pitch = w * c + kMore;
    weight_pitch = w + kMore;
    std::size_t used = 0;
    const auto take = [&]<class T>(T*& pointer, Index count) {
      // Without a base only the bytes are counted.
      pointer = base == nullptr ? nullptr : reinterpret_cast<T*>(base + used);
      const auto wanted = static_cast<std::size_t>(count) * sizeof(T);
      used += round_up_to(wanted, kHostAlignment);
    };
    take(tile, rows * padded_width * c + kMore);
    take(energy, rows * padded_width + kMore);
    take(view, h * pitch);
    take(weights, h * weight_pitch);
    take(tile_energy, tile_shape[0] * tile_shape[1]);
    take(sums, threads * tile_shape[1] * kMore);
    take(view_sums, RectangleSums::elements(h, w));
    take(weight_sums, RectangleSums::elements(h, w));
    take(spans, 4 * h);
    bytes = used;
  }
};

template <class Element>
void pad(Context& context, TensorView<const Element, 3> tile, Index above, Index beside,
         const Rooms& rooms) {
  const Index channels = tile.extent(2);
  const Index rows = tile.extent(0) + 2 * above;
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index i = 0; i < rows; ++i) {
    float* to = rooms.tile + i * rooms.padded_width * channels;
    float* energy = rooms.energy + i * rooms.padded_width;
    std::fill_n(to, rooms.padded_width * channels, 0.0f);
    std::fill_n(energy, rooms.padded_width, 0.0f);
    if (i < above || i >= above + tile.extent(0)) continue;
    const Element* from = tile.data() + (i - above) * tile.extent(1) * channels;
    for (Index j = 0; j < tile.extent(1); ++j) {
      float square = 0;
      for (Index c = 0; c < channels; ++c) {
        const auto value = static_cast<float>(*from++);
        to[(j + beside) * channels + c] = value;
        square += value * value;
      }
      energy[j + beside] = square;
    }
  }
  std::fill_n(rooms.tile + rows * rooms.padded_width * channels, kernels::kWidestVector, 0.0f);
  std::fill_n(rooms.energy + rows * rooms.padded_width, kernels::kWidestVector, 0.0f);
}

}  // namespace

std::size_t correlate_scratch_bytes(const Target& target, const Shape<3>& tile,
                                    const Shape<4>& views) {
  return Rooms(nullptr, tile, views, thread_count(target)).bytes;
}

template <class Element>
void correlate(Context& context, TensorView<const Element, 3> tile,
               TensorView<const Element, 4> views, TensorView<const float, 2> weights,
               TensorView<float, 3> scores) {
  ops::check_correlation(tile, views, weights, scores);
  const Index height = tile.extent(0), width = tile.extent(1), channels = tile.extent(2);
  const Index h = views.extent(1), w = views.extent(2);
  const Index above = h / 2, beside = w / 2;
  const auto run = kernels::select_correlation(context.instruction_set());
  const Rooms size(nullptr, tile.shape(), views.shape(), context.threads());
  const Rooms rooms(context.scratch(size.bytes), tile.shape(), views.shape(), context.threads());
  pad(context, tile, above, beside, rooms);

  // For each row of a view, the range from its first to its last cell that has weight: for a disc,
  // for example, the range is shorter at the top and at the bottom.
  Index* const first = rooms.spans;
  Index* const last = first + h;
  for (Index i = 0; i < h; ++i) {
    float* to = rooms.weights + i * rooms.weight_pitch;
    std::fill_n(to, rooms.weight_pitch, 0.0f);
    first[i] = last[i] = 0;
    for (Index j = 0; j < w; ++j) {
      to[j] = weights(i, j);
      if (to[j] == 0) continue;
      if (last[i] == 0) first[i] = j;
      last[i] = j + 1;
    }
  }
  RectangleSums weight_sums(rooms.weight_sums, h, w);
  weight_sums.fill([&](Index i, Index j) { return weights(i, j); });
  const double total = weight_sums(0, h, 0, w);
  // The sum over the part of a view that lies in the tile if its middle is at (row, col).
  const auto within = [&](const RectangleSums& sums, Index row, Index col) {
    return sums(std::max<Index>(0, above - row), std::min(h, height - row + above),
                std::max<Index>(0, beside - col), std::min(w, width - col + beside));
  };

#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index row = 0; row < height; ++row) {
    run({rooms.energy + row * rooms.padded_width, rooms.weights, rooms.padded_width,
         rooms.weight_pitch, h, first, last, 1, width,
         rooms.sums + omp_get_thread_num() * width * kernels::kWidestVector,
         rooms.tile_energy + row * width});
  }

  Index* const begin = last + h;
  Index* const end = begin + h;
  for (Index i = 0; i < h; ++i) {
    begin[i] = first[i] * channels;
    end[i] = last[i] * channels;
  }
  for (Index k = 0; k < views.extent(0); ++k) {
    const auto view = views[k];
    for (Index i = 0; i < h; ++i) {
      float* to = rooms.view + i * rooms.pitch;
      for (Index j = 0; j < w; ++j) {
        for (Index c = 0; c < channels; ++c) {
          *to++ = static_cast<float>(view(i, j, c)) * weights(i, j);
        }
      }
      std::fill_n(to, rooms.pitch - w * channels, 0.0f);
    }
    RectangleSums view_sums(rooms.view_sums, h, w);
    view_sums.fill([&](Index i, Index j) {
      float square = 0;
      for (Index c = 0; c < channels; ++c) {
        const auto value = static_cast<float>(view(i, j, c));
        square += value * value;
      }
      return square * weights(i, j);
    });
#pragma omp parallel for schedule(static) num_threads(context.threads())
    for (Index row = 0; row < height; ++row) {
      float* out = scores.data() + (k * height + row) * width;
      run({rooms.tile + row * rooms.padded_width * channels, rooms.view,
           rooms.padded_width * channels, rooms.pitch, h, begin, end, channels, width,
           rooms.sums + omp_get_thread_num() * width * kernels::kWidestVector, out});
      for (Index col = 0; col < width; ++col) {
        out[col] = ops::match_score(out[col], rooms.tile_energy[row * width + col],
                                    static_cast<float>(within(view_sums, row, col)),
                                    static_cast<float>(within(weight_sums, row, col) / total));
      }
    }
  }
}

template void correlate<float>(Context&, TensorView<const float, 3>, TensorView<const float, 4>,
                               TensorView<const float, 2>, TensorView<float, 3>);
template void correlate<bfloat16>(Context&, TensorView<const bfloat16, 3>,
                                  TensorView<const bfloat16, 4>, TensorView<const float, 2>,
                                  TensorView<float, 3>);

}  // namespace crossfix::cpu
