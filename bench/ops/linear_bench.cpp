#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

struct Case {
  const char* name;
  ops::LinearSpecification spec;
  Index table_rows;
};

/// The matrix products of a fusion layer over 2048 ground tokens.
const Case kCases[] = {
    {"qkv", {.rows = 2048, .in_features = 256, .out_features = 768}, 2048},
    {"query", {.rows = 2048, .in_features = 256, .out_features = 256}, 2048},
    {"out_proj", {.rows = 2048, .in_features = 256, .out_features = 256}, 1},
    {"ffn.expand",
     {.rows = 2048, .in_features = 256, .out_features = 1024, .activation = ops::Activation::relu},
     1},
    {"ffn.contract", {.rows = 2048, .in_features = 1024, .out_features = 256}, 1},
};

template <class Element>
void linear(benchmark::State& state, const Case& test, const cpu::Target& target) {
  using Backend = cpu::Backend<Element>;
  const auto& spec = test.spec;
  const auto weights = random<float, 2>("w", {spec.out_features, spec.in_features},
                                        1.0f / std::sqrt(static_cast<float>(spec.in_features)));
  const auto table = random<float, 2>("t", {test.table_rows, spec.out_features});
  const auto x = random<Element, 2>("x", {spec.rows, spec.in_features});
  Tensor<Element, 2> y({spec.rows, spec.out_features});
  const typename Backend::Linear operation(target, spec, weights, table);
  typename Backend::Context context(target, operation.scratch_bytes());
  operation(context, x, y);
  Check check;
  for (Index sample = 0; sample < 500; ++sample) {
    const Index row = sample * 13 % spec.rows;
    const Index o = sample * 29 % spec.out_features;
    auto expected = static_cast<double>(table(row % test.table_rows, o));
    for (Index c = 0; c < spec.in_features; ++c) {
      expected +=
          static_cast<double>(static_cast<float>(x(row, c))) * static_cast<double>(weights(o, c));
    }
    if (spec.activation == ops::Activation::relu) expected = std::max(expected, 0.0);
    check.add(y(row, o), expected);
  }
  if (!check.passes<Element>(state)) return;
  for (auto _ : state) operation(context, x, y);
  report_flops<Element>(state,
                        2.0 * static_cast<double>(spec.rows * spec.in_features * spec.out_features),
                        target.threads);
}

template <class Element>
void add_all(const cpu::Target& target) {
  for (const Case& test : kCases) {
    add(named<Element>(std::string("linear/") + test.name + "/" + cpu::name_of(target.library)),
        target.threads,
        [&test, target](benchmark::State& state) { linear<Element>(state, test, target); });
  }
}

}  // namespace

void add_linears(int threads) {
  add_of_libraries(
      threads, [](const cpu::Target& target, auto element) { add_all<decltype(element)>(target); });
}

}  // namespace crossfix::bench
