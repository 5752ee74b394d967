#include "ops/bench.hpp"

namespace crossfix::bench {
namespace {

struct Case {
  const char* name;
  ops::ConvolutionSpecification spec;
  Shape<4> input;
};

constexpr auto kRelu = ops::Activation::relu;

/// Convolutions of the backbone of the ground view at the size of the reference network, one of
/// each kind.
const Case kCases[] = {
    {"conv1",
     {.in_channels = 3,
      .out_channels = 64,
      .kernel = 7,
      .stride = 2,
      .padding = 3,
      .activation = kRelu},
     {1, 256, 512, 3}},
    {"layer1.3x3",
     {.in_channels = 64, .out_channels = 64, .kernel = 3, .padding = 1, .activation = kRelu},
     {1, 64, 128, 64}},
    {"layer1.expand",
     {.in_channels = 64, .out_channels = 256, .activation = kRelu, .residual = true},
     {1, 64, 128, 64}},
    {"layer2.3x3.stride2",
     {.in_channels = 128,
      .out_channels = 128,
      .kernel = 3,
      .stride = 2,
      .padding = 1,
      .activation = kRelu},
     {1, 64, 128, 128}},
    {"layer2.3x3",
     {.in_channels = 128, .out_channels = 128, .kernel = 3, .padding = 1, .activation = kRelu},
     {1, 32, 64, 128}},
    {"layer3.reduce",
     {.in_channels = 1024, .out_channels = 256, .activation = kRelu},
     {1, 32, 64, 1024}},
    {"layer3.3x3",
     {.in_channels = 256, .out_channels = 256, .kernel = 3, .padding = 1, .activation = kRelu},
     {1, 32, 64, 256}},
    {"layer3.3x3.dilated",
     {.in_channels = 256,
      .out_channels = 256,
      .kernel = 3,
      .padding = 2,
      .dilation = 2,
      .activation = kRelu},
     {1, 32, 64, 256}},
    {"layer3.expand",
     {.in_channels = 256, .out_channels = 1024, .activation = kRelu, .residual = true},
     {1, 32, 64, 256}},
};

/// One output value, by a plain sum.
template <class Element>
double expected_at(const ops::ConvolutionSpecification& spec, const Tensor<Element, 4>& x,
                   const Tensor<float, 4>& weights, Index i, Index j, Index o) {
  double sum = 0.0;
  for (Index a = 0; a < spec.kernel; ++a) {
    for (Index b = 0; b < spec.kernel; ++b) {
      const Index row = i * spec.stride + a * spec.dilation - spec.padding;
      const Index column = j * spec.stride + b * spec.dilation - spec.padding;
      if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2)) continue;
      for (Index c = 0; c < spec.in_channels; ++c) {
        sum += static_cast<double>(static_cast<float>(x(0, row, column, c))) *
               static_cast<double>(weights(o, c, a, b));
      }
    }
  }
  return sum;
}

template <class Element>
void convolution(benchmark::State& state, const Case& test, const cpu::Target& target) {
  using Backend = cpu::Backend<Element>;
  const auto& spec = test.spec;
  const Shape<4> shape = spec.output_shape(test.input);
  const auto fan_in = static_cast<float>(spec.in_channels * spec.kernel * spec.kernel);
  const auto weights =
      random<float, 4>("w", {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel},
                       1.0f / std::sqrt(fan_in));
  const Tensor<float, 1> bias({spec.out_channels});
  const auto x = random<Element>("x", test.input);
  Tensor<Element, 4> y(shape);
  const typename Backend::Convolution operation(target, spec, weights, bias, test.input);
  typename Backend::Context context(target, operation.scratch_bytes());
  const auto run = [&] { spec.residual ? operation(context, x, y, y) : operation(context, x, y); };
  run();
  Check check;
  for (Index sample = 0; sample < 200; ++sample) {
    const Index i = sample * 7 % shape[1];
    const Index j = sample * 13 % shape[2];
    const Index o = sample * 29 % shape[3];
    double expected = expected_at(spec, x, weights, i, j, o);
    if (spec.activation == kRelu) expected = std::max(expected, 0.0);
    check.add(y(0, i, j, o), expected);
  }
  if (!check.passes<Element>(state)) return;
  for (auto _ : state) run();
  report_flops<Element>(
      state,
      2.0 * static_cast<double>(shape[1] * shape[2] * shape[3]) * static_cast<double>(fan_in),
      target.threads);
}

template <class Element>
void add_all(const cpu::Target& target) {
  for (const Case& test : kCases) {
    add(named<Element>(std::string("convolution/") + test.name + "/" +
                       cpu::name_of(target.library)),
        target.threads,
        [&test, target](benchmark::State& state) { convolution<Element>(state, test, target); });
  }
}

}  // namespace

void add_convolutions(int threads) {
  add_of_libraries(
      threads, [](const cpu::Target& target, auto element) { add_all<decltype(element)>(target); });
}

}  // namespace crossfix::bench
