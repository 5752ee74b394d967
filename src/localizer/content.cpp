#include "content.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace crossfix {
namespace {

constexpr Index kPatches = 16;     ///< along each axis, at most
constexpr Index kLeastPatch = 32;  ///< pixels along each axis, but of an image that has less
constexpr Index kSamples = 24;     ///< of a patch along each axis, up to twice as many
constexpr Index kOffsets = 12;     ///< in a patch: how far apart two samples of a pair are
constexpr double kLeast = 4;       ///< covariance of pairs, grey levels squared: about 2 levels
constexpr double kErrors = 5;      ///< the same, in standard errors
constexpr double kLeastCorrelation = 0.5;  ///< suffices where there are few pairs

/// Sums over one sample of each pair, in one channel. `down` and `right` weigh a sample by its row
/// and its column, counted from the middle of the patch.
struct Sums {
  double value = 0;
  double down = 0;
  double right = 0;

  void add(double sample, double row, double col) {
    value += sample;
    down += row * sample;
    right += col * sample;
  }
};

struct PairSums {
  Sums first;
  Sums second;
  double squares_first = 0;
  double squares_second = 0;
  double products = 0;
};

/// The sum of the squares of 0, 1, ... count - 1, each counted from their middle.
double squares_of(Index count) {
  const auto n = static_cast<double>(count);
  return n * (n * n - 1) / 12;
}

/// Whether a channel of the patch [row, row_end) x [col, col_end) shows more than a shade that
/// changes evenly, and noise: samples some columns apart, less the plane through them, go together.
/// Noise does not do that, and a dark or foggy picture does.
bool shows_anything(const HostImageView& image, Index row, Index row_end, Index col,
                    Index col_end) {
  const Index offset = std::max<Index>(1, (col_end - col) / kOffsets);
  const Index row_step = std::max<Index>(1, (row_end - row) / kSamples);
  const Index col_step = std::max<Index>(1, (col_end - col) / kSamples);
  const Index rows = (row_end - row + row_step - 1) / row_step;
  const Index cols = (col_end - col - offset + col_step - 1) / col_step;
  if (cols < 1) return false;
  const double middle_row = static_cast<double>(rows - 1) / 2;
  const double middle_col = static_cast<double>(cols - 1) / 2;
  std::array<PairSums, 3> channels{};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      const Index r = row + i * row_step;
      const Index c = col + j * col_step;
      const double down_at = static_cast<double>(i) - middle_row;
      const double right_at = static_cast<double>(j) - middle_col;
      for (Index channel = 0; channel < 3; ++channel) {
        PairSums& sums = channels[static_cast<std::size_t>(channel)];
        const double first = image(r, c, channel);
        const double second = image(r, c + offset, channel);
        sums.first.add(first, down_at, right_at);
        sums.second.add(second, down_at, right_at);
        sums.squares_first += first * first;
        sums.squares_second += second * second;
        sums.products += first * second;
      }
    }
  }
  const auto count = static_cast<double>(rows * cols);
  const double down = static_cast<double>(cols) * squares_of(rows);
  const double right = static_cast<double>(rows) * squares_of(cols);
  const auto without_plane = [&](double products, const Sums& a, const Sums& b) {
    double rest = products - a.value * b.value / count;
    if (down > 0) rest -= a.down * b.down / down;
    if (right > 0) rest -= a.right * b.right / right;
    return rest / count;
  };
  const double least_correlation = std::min(kLeastCorrelation, kErrors / std::sqrt(count));
  return std::any_of(channels.begin(), channels.end(), [&](const PairSums& sums) {
    const double covariance = without_plane(sums.products, sums.first, sums.second);
    const double variances = without_plane(sums.squares_first, sums.first, sums.first) *
                             without_plane(sums.squares_second, sums.second, sums.second);
    return covariance >= kLeast &&
           covariance >= least_correlation * std::sqrt(std::max(0.0, variances));
  });
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
