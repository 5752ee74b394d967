#include "map_tile.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace crossfix::data {

namespace {

constexpr int kTermBits = 10;     ///< of the terms of a coordinate
constexpr int kFractionBits = 5;  ///< of a coordinate
constexpr Index kFractionMask = (1 << kFractionBits) - 1;

/// A term of a coordinate in 1/1024 pixels, rounded to nearest, half to even.
Index fixed(double value) { return std::llrint(value * (1 << kTermBits)); }

/// Bilinear samples of a map at positions in 1/32 pixels, counted from the centre of pixel (0, 0).
class Sampler {
 public:
  Sampler(io::ImageView map, MapWindow window) : map_(map), window_(window) {}

  void sample(Index row, Index col, std::uint8_t* out) const {
    const Index top = row >> kFractionBits;
    const Index left = col >> kFractionBits;
    const Index down = row & kFractionMask;
    const Index right = col & kFractionMask;
    constexpr Index kOne = 1 << kFractionBits;
    const std::uint8_t* corners[4] = {at(top, left), at(top, left + 1), at(top + 1, left),
                                      at(top + 1, left + 1)};
    const Index weights[4] = {(kOne - down) * (kOne - right), (kOne - down) * right,
                              down * (kOne - right), down * right};
    for (std::size_t channel = 0; channel < 3; ++channel) {
      Index sum = kOne * kOne / 2;
      for (std::size_t i = 0; i < 4; ++i) sum += weights[i] * corners[i][channel];
      out[channel] = static_cast<std::uint8_t>(sum >> (2 * kFractionBits));
    }
  }

 private:
  /// A pixel of the window; black outside the window and outside the map.
  const std::uint8_t* at(Index row, Index col) const {
    static constexpr std::uint8_t kBlack[3] = {};
    if (row < 0 || col < 0 || row >= kMapWindowSide || col >= kMapWindowSide) return kBlack;
    row += window_.row;
    col += window_.col;
    if (row < 0 || col < 0 || row >= map_.extent(0) || col >= map_.extent(1)) return kBlack;
    return &map_(row, col, 0);
  }

  io::ImageView map_;
  MapWindow window_;
};

/// The middle of the turned window.
io::Image turn(io::ImageView map, MapWindow window, double degrees) {
  // Maps a pixel of the turned window back to where it comes from: the inverse turn.
  const double angle = degrees * (std::numbers::pi / 180);
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  constexpr double kCentre = kMapWindowSide / 2.0;
  const double col_of_origin = kCentre - c * kCentre + s * kCentre;
  const double row_of_origin = kCentre - s * kCentre - c * kCentre;
  constexpr Index kHalf = 1 << (kTermBits - kFractionBits - 1);
  const Sampler sampler(map, window);
  io::Image tile({kMapTileSide, kMapTileSide, 3});
  for (Index i = 0; i < kMapTileSide; ++i) {
    const auto row = static_cast<double>(i + kMapTileMargin);
    const Index from_row = fixed(c * row + row_of_origin) + kHalf;
    const Index from_col = fixed(-s * row + col_of_origin) + kHalf;
    for (Index j = 0; j < kMapTileSide; ++j) {
      const auto col = static_cast<double>(j + kMapTileMargin);
      sampler.sample((from_row + fixed(s * col)) >> (kTermBits - kFractionBits),
                     (from_col + fixed(c * col)) >> (kTermBits - kFractionBits), &tile(i, j, 0));
    }
  }
  return tile;
}

/// Which samples of a finer axis an output covers, and the share of each.
struct Cover {
  Index first = 0;
  std::vector<float> shares;
};

std::vector<Cover> covers(Index inputs, Index outputs) {
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  std::vector<Cover> all;
  for (Index i = 0; i < outputs; ++i) {
    const double begin = static_cast<double>(i) * step;
    const double end = std::min(begin + step, static_cast<double>(inputs));
    Cover cover{static_cast<Index>(begin), {}};
    for (Index at = cover.first; static_cast<double>(at) < end; ++at) {
      const double low = std::max(begin, static_cast<double>(at));
      const double high = std::min(end, static_cast<double>(at + 1));
      cover.shares.push_back(static_cast<float>((high - low) / (end - begin)));
    }
    all.push_back(std::move(cover));
  }
  return all;
}

/// Averages a square image to a smaller square image. Each pixel is the mean over the area it
/// covers.
io::Image average(io::ImageView image, Index side) {
  const std::vector<Cover> axis = covers(image.extent(0), side);
  const Index width = image.extent(1);
  std::vector<float> sums(static_cast<std::size_t>(3 * side));
  io::Image out({side, side, 3});
  for (Index row = 0; row < side; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    const Cover& down = axis[static_cast<std::size_t>(row)];
    for (std::size_t t = 0; t < down.shares.size(); ++t) {
      const std::uint8_t* line = image.data() + (down.first + static_cast<Index>(t)) * width * 3;
      for (std::size_t col = 0; col < axis.size(); ++col) {
        const std::uint8_t* pixel = line + 3 * axis[col].first;
        float across[3] = {};
        for (const float share : axis[col].shares) {
          for (float& sum : across) sum += share * static_cast<float>(*pixel++);
        }
        for (std::size_t c = 0; c < 3; ++c) sums[3 * col + c] += down.shares[t] * across[c];
      }
    }
    std::uint8_t* target = &out(row, 0, 0);
    for (const float sum : sums) {
      *target++ = static_cast<std::uint8_t>(std::clamp(std::lrint(sum), 0L, 255L));
    }
  }
  return out;
}

}  // namespace

PixelPoint turned(PixelPoint point, PixelPoint centre, double degrees) {
  const double angle = degrees * (std::numbers::pi / 180);
  const double row = point.row - centre.row;
  const double col = point.col - centre.col;
  return {centre.row - std::sin(angle) * col + std::cos(angle) * row,
          centre.col + std::cos(angle) * col + std::sin(angle) * row};
}

io::Image cut_map_tile(io::ImageView map, MapWindow window, double degrees) {
  return average(turn(map, window, degrees).view(), kMapImageSide);
}

}  // namespace crossfix::data
