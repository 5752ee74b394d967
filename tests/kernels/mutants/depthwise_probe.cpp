#include "crossfix/cuda/depthwise.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::bfloat16;
using crossfix::Index;
using Spec = crossfix::ops::DepthwiseConvolutionSpecification;

/// The error of a convolution of random values without a bias.
double error(const Spec& spec, const crossfix::Shape<4>& input) {
  const Index taps = spec.kernel * spec.kernel;
  const auto x = crossfix::probe::random_elements(crossfix::element_count(input), 1);
  const auto weights = crossfix::probe::random_elements(taps * spec.channels, 2);
  const std::vector<float> bias(static_cast<std::size_t>(spec.channels), 0.0f);
  const crossfix::Shape<4> output = spec.output_shape(input);
  std::vector<bfloat16> y(static_cast<std::size_t>(crossfix::element_count(output)),
                          bfloat16(7.0f));
  crossfix::cuda::depthwise_convolution<bfloat16>(
      crossfix::probe::no_stream(), {}, spec, {x.data(), input},
      {weights.data(), {spec.kernel, spec.kernel, spec.channels}}, {bias.data(), {spec.channels}},
      {y.data(), output});
  std::vector<double> expected;
  for (Index i = 0; i < crossfix::element_count(output); ++i) {
    const Index c = i % spec.channels;
    const Index column = i / spec.channels % output[2];
    const Index row = i / spec.channels / output[2] % output[1];
    double sum = 0.0;
    for (Index tap = 0; tap < taps; ++tap) {
      const Index r = row * spec.stride + tap / spec.kernel * spec.dilation - spec.padding;
      const Index s = column * spec.stride + tap % spec.kernel * spec.dilation - spec.padding;
      if (r < 0 || r >= input[1] || s < 0 || s >= input[2]) continue;
      const Index at = (r * input[2] + s) * spec.channels + c;
      sum += static_cast<double>(static_cast<float>(x[static_cast<std::size_t>(at)])) *
             static_cast<double>(
                 static_cast<float>(weights[static_cast<std::size_t>(tap * spec.channels + c)]));
    }
    expected.push_back(sum);
  }
  return crossfix::probe::relative_error(y, expected);
}

}  // namespace

int main() {
  bool good = true;
  for (const Spec& spec : {Spec{.channels = 24, .kernel = 3, .stride = 2, .padding = 1},
                           Spec{.channels = 8, .kernel = 5, .padding = 4, .dilation = 2}}) {
    good = crossfix::probe::holds("a depthwise convolution of " + std::to_string(spec.channels),
                                  [&] {
                                    return error(spec, {1, 7, 19, spec.channels});
                                  }) &&
           good;
  }
  return good ? 0 : 1;
}
