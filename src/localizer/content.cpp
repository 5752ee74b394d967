#include "content.hpp"

#include <algorithm>

#include "crossfix/camera/panorama.hpp"

namespace crossfix {
namespace {

constexpr Index kPatches = 16;    ///< along each axis
constexpr Index kSamples = 8;     ///< of a patch along each axis, up to twice as many
constexpr Index kLeastPatch = 4;  ///< pixels along each axis

/// Whether a channel of the patch [row, row_end) x [col, col_end) deviates from its mean.
bool shows_anything(const HostImageView& image, Index row, Index row_end, Index col,
                    Index col_end) {
  const Index row_step = std::max<Index>(1, (row_end - row) / kSamples);
  const Index col_step = std::max<Index>(1, (col_end - col) / kSamples);
  double sum[3] = {};
  double squares[3] = {};
  double count = 0;
  for (Index r = row; r < row_end; r += row_step) {
    for (Index c = col; c < col_end; c += col_step) {
      for (Index channel = 0; channel < 3; ++channel) {
        const double value = image(r, c, channel);
        sum[channel] += value;
        squares[channel] += value * value;
      }
      ++count;
    }
  }
  constexpr double kLeast = camera::kPaddingDeviation * camera::kPaddingDeviation;
  for (Index channel = 0; channel < 3; ++channel) {
    const double mean = sum[channel] / count;
    if (squares[channel] / count - mean * mean >= kLeast) return true;
  }
  return false;
}

}  // namespace

double content_of(const HostImageView& image) {
  const Index rows = std::clamp<Index>(image.extent(0) / kLeastPatch, 1, kPatches);
  const Index cols = std::clamp<Index>(image.extent(1) / kLeastPatch, 1, kPatches);
  Index shown = 0;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      shown += shows_anything(image, i * image.extent(0) / rows, (i + 1) * image.extent(0) / rows,
                              j * image.extent(1) / cols, (j + 1) * image.extent(1) / cols)
                   ? 1
                   : 0;
    }
  }
  return static_cast<double>(shown) / static_cast<double>(rows * cols);
}

}  // namespace crossfix
