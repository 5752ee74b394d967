#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/cuda/attention.hpp"
#include "kernels/gpu.hpp"

namespace crossfix::bench {
namespace {

using cuda::AttentionKernel;

constexpr Index kHeads = 8;

struct Problem {
  Index batch, queries, keys, dim;

  double operations() const {
    return 4.0 * static_cast<double>(batch * kHeads * queries * keys * dim);
  }
  std::string name() const {
    return "D" + std::to_string(dim) + "/" + std::to_string(queries) + "x" + std::to_string(keys) +
           "/batch:" + std::to_string(batch);
  }
};

/// The project's targets for an H200 in 16 bits, operations a second; for batch 1 that of 17 us.
std::optional<double> target_of(const Problem& problem) {
  static const std::map<std::tuple<Index, Index>, double> kTargets = {
      {{32, 1}, 4.0 * kHeads * 2048 * 2048 * 32 / 17e-6},
      {{32, 32}, 330e12},
      {{64, 8}, 430e12},
      {{128, 8}, 520e12}};
  const auto found = kTargets.find({problem.dim, problem.batch});
  if (problem.queries != 2048 || problem.keys != 2048 || found == kTargets.end()) return {};
  return found->second;
}

/// Queries, keys and values as slices of fused projections [batch, token, 3, head, dim], one for
/// the queries and one for keys and values, with outputs; several sets of them.
template <class Element>
class Inputs {
 public:
  using View = TensorView<const Element, 4, DeviceSpace>;

  explicit Inputs(const Problem& problem)
      : problem_(problem),
        sets_(Gpu::get().sets_of(static_cast<std::size_t>(set_elements()) * sizeof(Element))),
        memory_(static_cast<std::size_t>(sets_ * set_elements()) * sizeof(Element)) {
    for (int set = 0; set < sets_; ++set) {
      Pattern<Element>::get().fill(base(set), from_elements() + to_elements(), shift(set));
      // NaN, so that what a kernel does not write is noticed.
      expect(cudaMemset(output(set).data(), 0xff,
                        static_cast<std::size_t>(output(set).size()) * sizeof(Element)));
    }
  }

  int sets() const { return sets_; }
  View queries(int set) const { return part(base(set), problem_.queries, 0); }
  View keys(int set) const { return part(base(set) + from_elements(), problem_.keys, 1); }
  View values(int set) const { return part(base(set) + from_elements(), problem_.keys, 2); }
  TensorView<Element, 4, DeviceSpace> output(int set) const {
    return {base(set) + from_elements() + to_elements(),
            {problem_.batch, problem_.queries, kHeads, problem_.dim}};
  }
  /// Element `offset` elements into the set, as the host knows it.
  double number(int set, const Element* element) const {
    return Pattern<Element>::get().number_at(element - base(set), shift(set));
  }

 private:
  Index token_elements() const { return 3 * kHeads * problem_.dim; }
  Index from_elements() const { return problem_.batch * problem_.queries * token_elements(); }
  Index to_elements() const { return problem_.batch * problem_.keys * token_elements(); }
  Index set_elements() const {
    return from_elements() + to_elements() +
           problem_.batch * problem_.queries * kHeads * problem_.dim;
  }
  static Index shift(int set) { return 1234567 * Index{set}; }
  Element* base(int set) const {
    return reinterpret_cast<Element*>(memory_.data()) + set * set_elements();
  }
  View part(const Element* tensor, Index tokens, Index which) const {
    return {tensor + which * kHeads * problem_.dim,
            {problem_.batch, tokens, kHeads, problem_.dim},
            {tokens * token_elements(), token_elements(), problem_.dim, 1}};
  }

  Problem problem_;
  int sets_;
  DeviceMemory memory_;
};

/// One row of the result, in double.
template <class Element>
std::vector<double> expected_row(const Problem& problem, const Inputs<Element>& inputs, int set,
                                 Index b, Index query, Index head, double scale) {
  const auto at = [&](const auto& view, Index token, Index d) {
    return inputs.number(set, view.data() + view.offset(b, token, head, d));
  };
  const auto q = inputs.queries(set), k = inputs.keys(set), v = inputs.values(set);
  std::vector<double> scores(static_cast<std::size_t>(problem.keys), 0.0);
  double largest = -1e300;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    for (Index d = 0; d < problem.dim; ++d) {
      scores[j] += scale * at(q, query, d) * at(k, static_cast<Index>(j), d);
    }
    largest = std::max(largest, scores[j]);
  }
  double total = 0.0;
  std::vector<double> row(static_cast<std::size_t>(problem.dim), 0.0);
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const double weight = std::exp(scores[j] - largest);
    total += weight;
    for (Index d = 0; d < problem.dim; ++d) {
      row[static_cast<std::size_t>(d)] += weight * at(v, static_cast<Index>(j), d);
    }
  }
  for (double& value : row) value /= total;
  return row;
}

/// Compares rows of the outputs of the first set and of the last set.
template <class Element>
bool results_are_right(benchmark::State& state, const Problem& problem,
                       const Inputs<Element>& inputs, double scale) {
  constexpr Index kSamples = 24;
  Check check;
  std::vector<Element> row(static_cast<std::size_t>(problem.dim));
  for (Index sample = 0; sample < kSamples; ++sample) {
    const int set = sample % 2 == 0 ? 0 : inputs.sets() - 1;
    // These include the last query of the last entry.
    const Index b = problem.batch - 1 - sample * 7 % problem.batch;
    const Index query = problem.queries - 1 - sample * 101 % problem.queries;
    const Index head = sample % kHeads;
    const auto o = inputs.output(set);
    expect(cudaMemcpy(row.data(), o.data() + o.offset(b, query, head, 0),
                      row.size() * sizeof(Element), cudaMemcpyDeviceToHost));
    const auto expected = expected_row(problem, inputs, set, b, query, head, scale);
    for (std::size_t d = 0; d < row.size(); ++d) check.add(row[d], expected[d]);
  }
  return check.passes<Element>(state);
}

template <class Element>
void attention(benchmark::State& state, AttentionKernel kernel, const Problem& problem) try {
  Gpu& gpu = Gpu::get();
  const Inputs<Element> inputs(problem);
  const float scale = 1.0f / std::sqrt(static_cast<float>(problem.dim));
  const auto run = [&](int set) {
    cuda::attention<Element>(gpu.stream(), gpu.traits(), inputs.queries(set), inputs.keys(set),
                             inputs.values(set), inputs.output(set), scale, kernel);
  };
  for (int set = 0; set < inputs.sets(); ++set) run(set);
  gpu.wait();
  if (!results_are_right(state, problem, inputs, static_cast<double>(scale))) return;
  gpu.time(state, inputs.sets(), run);
  using benchmark::Counter;
  state.counters["TFLOP/s"] =
      Counter(problem.operations() * 1e-12, Counter::kIsIterationInvariantRate);
  if (const auto target = target_of(problem); target && kernel != AttentionKernel::exact) {
    state.counters["of_target"] =
        Counter(problem.operations() / *target, Counter::kIsIterationInvariantRate);
  }
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

template <class Element>
void add(const char* name, AttentionKernel kernel, const Problem& problem) {
  const std::string full = named<Element>(std::string("attention/") + name + "/" + problem.name());
  benchmark::RegisterBenchmark(
      full.c_str(), [=](benchmark::State& state) { attention<Element>(state, kernel, problem); })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void add_attentions() {
  std::vector<Problem> problems;
  for (Index batch : {1, 8, 32, 64}) {
    for (const auto& [queries, keys] : {std::pair<Index, Index>{2048, 2048},
                                        {1024, 1024},
                                        {600, 1024},
                                        {1024, 2048},
                                        {2048, 1024}}) {
      problems.push_back({batch, queries, keys, 32});
    }
  }
  problems.push_back({8, 2048, 2048, 64});
  problems.push_back({8, 2048, 2048, 128});
  const bool hopper = Gpu::get().traits().compute_capability == 90;
  for (const Problem& problem : problems) {
    const bool both = problem.batch == 8 && problem.queries == 2048 && problem.keys == 2048;
    if (hopper) add<bfloat16>("hopper", AttentionKernel::hopper, problem);
    if (hopper && both) add<float16>("hopper", AttentionKernel::hopper, problem);
    add<bfloat16>("ampere", AttentionKernel::ampere, problem);
    if (both) add<float16>("ampere", AttentionKernel::ampere, problem);
    if (problem.batch <= 8) add<float>("exact", AttentionKernel::exact, problem);
  }
}

}  // namespace crossfix::bench
