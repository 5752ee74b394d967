#include <cmath>

#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

/// A tile of 365 pixels with 91 features a side, and the ground within 20 features of a camera.
constexpr Shape<3> kTile{91, 91, 40};
constexpr Index kView = 41;

/// A disc of weights that decrease from the middle, like those of the matcher.
Tensor<float, 2> disc() {
  Tensor<float, 2> out({kView, kView});
  for (Index i = 0; i < kView; ++i) {
    for (Index j = 0; j < kView; ++j) {
      const double away =
          std::hypot(static_cast<double>(i - kView / 2), static_cast<double>(j - kView / 2));
      out(i, j) = away <= 20 ? static_cast<float>(std::exp(-away / 10)) : 0.0f;
    }
  }
  return out;
}

/// One score, by plain sums.
double expected_at(const Tensor<float, 3>& tile, const Tensor<float, 4>& views,
                   const Tensor<float, 2>& weights, Index k, Index row, Index col) {
  double product = 0, tile_energy = 0, view_energy = 0, share = 0, total = 0;
  for (Index i = 0; i < kView; ++i) {
    for (Index j = 0; j < kView; ++j) {
      const auto weight = static_cast<double>(weights(i, j));
      total += weight;
      const Index r = row + i - kView / 2;
      const Index s = col + j - kView / 2;
      if (r < 0 || r >= kTile[0] || s < 0 || s >= kTile[1]) continue;
      share += weight;
      for (Index c = 0; c < kTile[2]; ++c) {
        const auto t = static_cast<double>(tile(r, s, c));
        const auto v = static_cast<double>(views(k, i, j, c));
        product += weight * t * v;
        tile_energy += weight * t * t;
        view_energy += weight * v * v;
      }
    }
  }
  return product / std::sqrt(tile_energy * view_energy) * std::sqrt(share / total);
}

/// Counts only multiply-adds with a weight.
void correlate(benchmark::State& state, cpu::InstructionSet set, Index k, int threads) {
  using Backend = cpu::Backend<float>;
  const cpu::Target target{.threads = threads, .instruction_set = set};
  const Shape<4> shape{k, kView, kView, kTile[2]};
  const auto tile = random<float>("tile", kTile);
  const auto views = random<float>("views", shape);
  const auto weights = disc();
  Tensor<float, 3> scores({k, kTile[0], kTile[1]});
  Backend::Context context(target, Backend::correlate_scratch_bytes(target, kTile, shape));
  Backend::correlate(context, tile, views, weights, scores);
  Check check;
  for (Index sample = 0; sample < 40; ++sample) {
    const Index i = sample * 7 % kTile[0];
    const Index j = sample * 13 % kTile[1];
    const Index n = sample * 5 % k;
    check.add(scores(n, i, j), expected_at(tile, views, weights, n, i, j));
  }
  if (!check.passes<float>(state)) return;
  for (auto _ : state) Backend::correlate(context, tile, views, weights, scores);
  double taps = 0;
  for (Index i = 0; i < weights.size(); ++i) taps += weights.data()[i] > 0 ? 1 : 0;
  report_flops<float>(state, 2.0 * taps * static_cast<double>(scores.size() * kTile[2]), threads);
}

}  // namespace

void add_ground(int threads) {
  for (const auto set :
       {cpu::InstructionSet::baseline, cpu::InstructionSet::avx2, cpu::InstructionSet::avx512}) {
    if (set > cpu::best_instruction_set()) continue;
    for (const Index k : {1, 18}) {
      add(named<float>("correlate/91x91x40.view41." + std::to_string(k) + "/" +
                       std::string(cpu::name_of(set))),
          threads, [=](benchmark::State& state) { correlate(state, set, k, threads); });
    }
  }
}

}  // namespace crossfix::bench
