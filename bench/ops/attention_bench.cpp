#include <vector>

#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

constexpr Index kHeads = 8;
constexpr Index kDim = 32;

/// Part `which` of fused projections [1, token, 3, head, dim].
template <class Element>
TensorView<const Element, 4> part(const Tensor<Element, 5>& fused, Index which) {
  const auto all = fused.view();
  return {all.data() + which * all.stride(2),
          {1, all.extent(1), all.extent(3), all.extent(4)},
          {all.stride(0), all.stride(1), all.stride(3), all.stride(4)}};
}

template <class Element>
void expected_row(const Tensor<Element, 5>& from, const Tensor<Element, 5>& to, Index query,
                  Index head, double scale, double (&out)[kDim]) {
  const auto number = [](Element value) { return static_cast<double>(static_cast<float>(value)); };
  std::vector<double> scores(static_cast<std::size_t>(to.extent(1)));
  double largest = -1e300;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    for (Index d = 0; d < kDim; ++d) {
      scores[j] += scale * number(from(0, query, 0, head, d)) *
                   number(to(0, static_cast<Index>(j), 1, head, d));
    }
    largest = std::max(largest, scores[j]);
  }
  double total = 0.0;
  for (double& value : out) value = 0.0;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const double weight = std::exp(scores[j] - largest);
    total += weight;
    for (Index d = 0; d < kDim; ++d) {
      out[d] += weight * number(to(0, static_cast<Index>(j), 2, head, d));
    }
  }
  for (double& value : out) value /= total;
}

template <class Element>
void attention(benchmark::State& state, cpu::InstructionSet set, Index queries, Index keys,
               int threads) {
  const cpu::Target target{.threads = threads, .instruction_set = set};
  using Backend = cpu::Backend<Element>;
  const auto from = random<Element, 5>("from", {1, queries, 3, kHeads, kDim});
  const auto to = random<Element, 5>("to", {1, keys, 3, kHeads, kDim});
  Tensor<Element, 4> o({1, queries, kHeads, kDim});
  const float scale = 1.0f / std::sqrt(static_cast<float>(kDim));
  typename Backend::Context context(
      target, Backend::attention_scratch_bytes(target, queries, keys, kHeads, kDim));
  const auto run = [&] {
    Backend::attention(context, part(from, 0), part(to, 1), part(to, 2), o, scale);
  };
  run();
  Check check;
  for (Index sample = 0; sample < 40; ++sample) {
    const Index query = sample * 101 % queries;
    const Index head = sample % kHeads;
    double expected[kDim];
    expected_row(from, to, query, head, static_cast<double>(scale), expected);
    for (Index d = 0; d < kDim; ++d) check.add(o(0, query, head, d), expected[d]);
  }
  if (!check.passes<Element>(state)) return;
  for (auto _ : state) run();
  report_flops<Element>(state, 4.0 * static_cast<double>(queries * keys * kHeads * kDim), threads);
}

template <class Element>
void add_all(cpu::InstructionSet set, int threads) {
  if (set > cpu::best_instruction_set()) return;
  for (const auto& [q, k] :
       {std::pair<Index, Index>{1024, 1024}, {2048, 2048}, {1024, 2048}, {2048, 1024}}) {
    const std::string name = "attention/" + std::to_string(q) + "x" + std::to_string(k) + "/" +
                             std::string(cpu::name_of(set));
    add(named<Element>(name), threads,
        [set, threads, queries = q, keys = k](benchmark::State& state) {
          attention<Element>(state, set, queries, keys, threads);
        });
  }
}

}  // namespace

void add_attentions(int threads) {
  add_all<float>(cpu::InstructionSet::baseline, threads);
  add_all<float>(cpu::InstructionSet::avx2, threads);
  add_all<float>(cpu::InstructionSet::avx512, threads);
  add_all<bfloat16>(cpu::InstructionSet::avx512_bf16, threads);
}

}  // namespace crossfix::bench
