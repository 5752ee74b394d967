#include "crossfix/cuda/ground.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::bfloat16;
using crossfix::Index;

double value(const std::vector<bfloat16>& elements, Index at) {
  return static_cast<double>(static_cast<float>(elements[static_cast<std::size_t>(at)]));
}

/// Weights [count], some of them 0, and the last three of nineteen much larger than the others.
std::vector<float> some_weights(Index count) {
  std::vector<float> weights;
  for (Index i = 0; i < count; ++i) {
    const float size = i % 19 < 16 ? 1.0f : 20.0f;
    weights.push_back(i % 17 == 3 ? 0.0f : size / static_cast<float>(1 + i % 5));
  }
  return weights;
}

/// The error of scores, rounded to bfloat16 as the comparison needs them.
double correlate_error() {
  constexpr Index kHeight = 18, kWidth = 35, kChannels = 12, kViews = 2, kH = 5, kW = 35;
  const auto tile = crossfix::probe::random_elements(kHeight * kWidth * kChannels, 1);
  const auto views = crossfix::probe::random_elements(kViews * kH * kW * kChannels, 2);
  const auto weights = some_weights(kH * kW);
  std::vector<float> scores(static_cast<std::size_t>(kViews * kHeight * kWidth), 7.0f);
  crossfix::cuda::correlate<bfloat16>(
      crossfix::probe::no_stream(), {}, {tile.data(), {kHeight, kWidth, kChannels}},
      {views.data(), {kViews, kH, kW, kChannels}}, {weights.data(), {kH, kW}},
      {scores.data(), {kViews, kHeight, kWidth}});
  std::vector<double> expected;
  double total = 0.0;
  for (const float weight : weights) total += static_cast<double>(weight);
  for (Index i = 0; i < kViews * kHeight * kWidth; ++i) {
    double sums[4] = {};
    for (Index p = 0; p < kH * kW; ++p) {
      const Index row = i / kWidth % kHeight + p / kW - kH / 2;
      const Index column = i % kWidth + p % kW - kW / 2;
      if (row < 0 || row >= kHeight || column < 0 || column >= kWidth) continue;
      const auto weight = static_cast<double>(weights[static_cast<std::size_t>(p)]);
      for (Index c = 0; c < kChannels; ++c) {
        const double t = value(tile, (row * kWidth + column) * kChannels + c);
        const double v = value(views, (i / kWidth / kHeight * kH * kW + p) * kChannels + c);
        sums[0] += weight * t * v;
        sums[1] += weight * t * t;
        sums[2] += weight * v * v;
      }
      sums[3] += weight;
    }
    expected.push_back(sums[0] / std::sqrt(sums[1] * sums[2]) * std::sqrt(sums[3] / total));
  }
  std::vector<bfloat16> rounded;
  for (const float score : scores) rounded.push_back(bfloat16(score));
  return crossfix::probe::relative_error(rounded, expected);
}

double standardize_error() {
  constexpr Index kShifts = 601, kChannels = 3;
  auto x = crossfix::probe::random_elements(kShifts * kChannels, 3);
  for (auto& element : x) element = bfloat16(static_cast<float>(element) + 2.0f);
  const auto weights = some_weights(kShifts);
  std::vector<bfloat16> y(x.size(), bfloat16(7.0f));
  crossfix::cuda::standardize<bfloat16>(
      crossfix::probe::no_stream(), {}, {x.data(), {1, kShifts, kChannels}},
      {weights.data(), {1, kShifts}}, {y.data(), {1, kShifts, kChannels}});
  std::vector<double> expected(x.size());
  for (Index c = 0; c < kChannels; ++c) {
    double total = 0.0, mean = 0.0, square = 0.0;
    for (Index p = 0; p < kShifts; ++p) {
      const auto weight = static_cast<double>(weights[static_cast<std::size_t>(p)]);
      total += weight;
      mean += weight * value(x, p * kChannels + c);
      square += weight * value(x, p * kChannels + c) * value(x, p * kChannels + c);
    }
    mean /= total;
    const double deviation = std::sqrt(square / total - mean * mean);
    for (Index p = 0; p < kShifts; ++p) {
      expected[static_cast<std::size_t>(p * kChannels + c)] =
          (value(x, p * kChannels + c) - mean) / deviation;
    }
  }
  return crossfix::probe::relative_error(y, expected);
}

}  // namespace

int main() {
  const bool scores = crossfix::probe::holds("scores", correlate_error);
  return crossfix::probe::holds("a standardized map", standardize_error) && scores ? 0 : 1;
}
