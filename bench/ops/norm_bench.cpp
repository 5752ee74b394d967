#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

/// Add and LayerNorm over the ground tokens. Counts the bytes that are read once and written once.
template <class Element>
void layer_norm(benchmark::State& state, cpu::InstructionSet set, int threads) {
  using Backend = cpu::Backend<Element>;
  constexpr Index kRows = 2048;
  constexpr Index kChannels = 256;
  const auto x = random<float, 2>("x", {kRows, kChannels});
  const auto r = random<float, 2>("r", {kRows, kChannels});
  const auto scale = random<float, 1>("s", {kChannels});
  const auto shift = random<float, 1>("t", {kChannels});
  Tensor<float, 2> y({kRows, kChannels});
  Tensor<Element, 2> z({kRows, kChannels});
  const cpu::Target target{.threads = threads, .instruction_set = set};
  const typename Backend::LayerNorm norm(target, scale, shift, 1e-5f);
  typename Backend::Context context(target, 0);
  norm(context, x, r, y, z);
  Check check;
  for (Index row = 0; row < kRows; row += 97) {
    double mean = 0.0;
    double variance = 0.0;
    const auto sum = [&](Index c) {
      return static_cast<double>(x(row, c)) + static_cast<double>(r(row, c));
    };
    for (Index c = 0; c < kChannels; ++c) mean += sum(c) / kChannels;
    for (Index c = 0; c < kChannels; ++c) {
      variance += (sum(c) - mean) * (sum(c) - mean) / kChannels;
    }
    for (Index c = 0; c < kChannels; ++c) {
      check.add(z(row, c),
                (sum(c) - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(scale(c)) +
                    static_cast<double>(shift(c)));
    }
  }
  if (!check.passes<Element>(state)) return;
  for (auto _ : state) norm(context, x, r, y, z);
  constexpr auto kBytes = static_cast<double>(kRows * kChannels) * (12 + sizeof(Element));
  state.counters["GB/s"] =
      benchmark::Counter(kBytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

template <class Element>
void add_one(cpu::InstructionSet set, int threads) {
  if (set > cpu::best_instruction_set()) return;
  add(named<Element>("add_layer_norm/2048x256/" + std::string(cpu::name_of(set))), threads,
      [=](benchmark::State& state) { layer_norm<Element>(state, set, threads); });
}

}  // namespace

void add_norms(int threads) {
  add_one<float>(cpu::InstructionSet::baseline, threads);
  add_one<float>(cpu::InstructionSet::avx2, threads);
  add_one<float>(cpu::InstructionSet::avx512, threads);
  add_one<bfloat16>(cpu::InstructionSet::avx512_bf16, threads);
}

}  // namespace crossfix::bench
