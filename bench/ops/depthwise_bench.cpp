#include <algorithm>

#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

struct Case {
  const char* name;
  ops::DepthwiseConvolutionSpecification spec;
  Shape<4> input;
};

/// EfficientNet-Lite0 over an image of 365 pixels: the first layer of its second stage, and the
/// dilated one of the fourth stage, kept at an eighth of the resolution.
const Case kCases[] = {
    {"96.3x3.stride2",
     {.channels = 96, .kernel = 3, .stride = 2, .padding = 1, .activation = ops::Activation::relu6},
     {1, 182, 182, 96}},
    {"240.5x5.dilated",
     {.channels = 240,
      .kernel = 5,
      .padding = 4,
      .dilation = 2,
      .activation = ops::Activation::relu6},
     {1, 91, 91, 240}},
};

/// One output value, by a plain sum.
template <class Element>
double expected_at(const ops::DepthwiseConvolutionSpecification& spec, const Tensor<Element, 4>& x,
                   const Tensor<float, 3>& weights, Index i, Index j, Index c) {
  double sum = 0.0;
  for (Index a = 0; a < spec.kernel; ++a) {
    for (Index b = 0; b < spec.kernel; ++b) {
      const Index row = i * spec.stride + a * spec.dilation - spec.padding;
      const Index column = j * spec.stride + b * spec.dilation - spec.padding;
      if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2)) continue;
      sum += static_cast<double>(static_cast<float>(x(0, row, column, c))) *
             static_cast<double>(weights(c, a, b));
    }
  }
  return std::clamp(sum, 0.0, 6.0);
}

template <class Element>
void depthwise(benchmark::State& state, const Case& test, const cpu::Target& target) {
  using Backend = cpu::Backend<Element>;
  const auto& spec = test.spec;
  const Shape<4> shape = spec.output_shape(test.input);
  const auto weights = random<float, 3>("w", {spec.channels, spec.kernel, spec.kernel},
                                        1.0f / static_cast<float>(spec.kernel));
  const Tensor<float, 1> bias({spec.channels});
  const auto x = random<Element>("x", test.input);
  Tensor<Element, 4> y(shape);
  const typename Backend::DepthwiseConvolution operation(target, spec, weights, bias, test.input);
  typename Backend::Context context(target, operation.scratch_bytes());
  operation(context, x, y);
  Check check;
  for (Index sample = 0; sample < 200; ++sample) {
    const Index i = sample * 7 % shape[1];
    const Index j = sample * 13 % shape[2];
    const Index c = sample * 29 % shape[3];
    check.add(y(0, i, j, c), expected_at(spec, x, weights, i, j, c));
  }
  if (!check.passes<Element>(state)) return;
  for (auto _ : state) operation(context, x, y);
  const auto taps = static_cast<double>(spec.kernel * spec.kernel);
  report_flops<Element>(state, 2.0 * static_cast<double>(y.size()) * taps, target.threads);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * (x.size() + y.size()) *
                          static_cast<std::int64_t>(sizeof(Element)));
}

template <class Element>
void add_all(const cpu::Target& target) {
  for (const Case& test : kCases) {
    add(named<Element>(std::string("depthwise/") + test.name + "/" + cpu::name_of(target.library)),
        target.threads,
        [&test, target](benchmark::State& state) { depthwise<Element>(state, test, target); });
  }
}

}  // namespace

void add_depthwise(int threads) {
  add_of_libraries(
      threads, [](const cpu::Target& target, auto element) { add_all<decltype(element)>(target); });
}

}  // namespace crossfix::bench
