#include "crossfix/cpu/resize.hpp"

#include <algorithm>
#include <array>

namespace crossfix::cpu {
namespace {

constexpr Index kChannels = 3;

/// Filters one row of pixels from `in` to table.outputs pixels at `out`.
void filter_row(const ops::ResampleTable& table, const std::uint8_t* in, std::uint8_t* out) {
  const std::int32_t* weights = table.weights.data();
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.outputs); ++i) {
    const std::uint8_t* pixel = in + table.first[i] * kChannels;
    std::int32_t red = ops::kResampleHalf;
    std::int32_t green = ops::kResampleHalf;
    std::int32_t blue = ops::kResampleHalf;
    for (Index t = 0; t < table.count[i]; ++t, pixel += kChannels) {
      red += weights[t] * pixel[0];
      green += weights[t] * pixel[1];
      blue += weights[t] * pixel[2];
    }
    *out++ = ops::resampled(red);
    *out++ = ops::resampled(green);
    *out++ = ops::resampled(blue);
    weights += table.taps;
  }
}

/// Computes output row `i`, `bytes` samples, from the rows at `in`, `stride` apart.
void filter_column(const ops::ResampleTable& table, std::size_t i, const std::uint8_t* in,
                   Index stride, std::uint8_t* out, Index bytes) {
  constexpr Index kBlock = 256;  // sums that stay in L1
  std::array<std::int32_t, kBlock> sums;
  const std::int32_t* weights = table.weights.data() + static_cast<Index>(i) * table.taps;
  in += table.first[i] * stride;
  for (Index begin = 0; begin < bytes; begin += kBlock) {
    const Index size = std::min(kBlock, bytes - begin);
    sums.fill(ops::kResampleHalf);
    for (Index t = 0; t < table.count[i]; ++t) {
      const std::uint8_t* row = in + t * stride + begin;
      const std::int32_t weight = weights[t];
      for (Index b = 0; b < size; ++b) sums[static_cast<std::size_t>(b)] += weight * row[b];
    }
    for (Index b = 0; b < size; ++b) {
      out[begin + b] = ops::resampled(sums[static_cast<std::size_t>(b)]);
    }
  }
}

}  // namespace

Resizer::Resizer(const Shape<2>& source, const Shape<2>& target)
    : source_(source), target_(target) {
  // Computed in any case first, because this rejects empty axes.
  columns_ = ops::resample_table(source[1], target[1]);
  rows_ = ops::resample_table(source[0], target[0]);
  if (source[1] == target[1]) columns_ = {};
  if (source[0] == target[0]) rows_ = {};
  const bool narrows = !columns_.weights.empty();
  if (narrows) narrowed_ = Tensor<std::uint8_t, 3>({source[0], target[1], kChannels});
  if (!rows_.weights.empty()) {
    resized_ = Tensor<std::uint8_t, 3>({target[0], target[1], kChannels});
  }
}

TensorView<const std::uint8_t, 3> Resizer::operator()(TensorView<const std::uint8_t, 3> image,
                                                      [[maybe_unused]] int threads) {
  expect_shape("an image to resize", image.shape(), {source_[0], source_[1], kChannels});
  if (image.stride(2) != 1 || image.stride(1) != kChannels) {
    throw ShapeError("an image to resize has gaps within its rows");
  }
  if (!columns_.weights.empty()) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (Index row = 0; row < source_[0]; ++row) {
      filter_row(columns_, image.data() + row * image.stride(0), &narrowed_(row, 0, 0));
    }
    image = narrowed_.view();
  }
  if (!rows_.weights.empty()) {
    const Index bytes = target_[1] * kChannels;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (Index row = 0; row < target_[0]; ++row) {
      filter_column(rows_, static_cast<std::size_t>(row), image.data(), image.stride(0),
                    &resized_(row, 0, 0), bytes);
    }
    image = resized_.view();
  }
  return image;
}

Resizer& ResizerCache::get(const Shape<2>& source, const Shape<2>& target) {
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Resizer& resizer) {
    return resizer.source() == source && resizer.target() == target;
  });
  if (found != recent_.end()) {
    std::rotate(recent_.begin(), found, found + 1);
  } else {
    Resizer fresh(source, target);
    if (recent_.size() == kCapacity) recent_.pop_back();
    recent_.reserve(kCapacity);
    recent_.insert(recent_.begin(), std::move(fresh));
  }
  return recent_.front();
}

}  // namespace crossfix::cpu
