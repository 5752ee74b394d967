#include "crossfix/cuda/layer_norm.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::bfloat16;
using crossfix::Index;

/// The error of the LayerNorm of random rows far from zero; for long rows a block works on each.
double error(Index rows, Index channels) {
  std::vector<float> x;
  for (const bfloat16 element : crossfix::probe::random_elements(rows * channels, 3)) {
    x.push_back(static_cast<float>(element) + 3.0f);
  }
  const std::vector<float> ones(static_cast<std::size_t>(channels), 1.0f);
  const std::vector<float> zeros(static_cast<std::size_t>(channels), 0.0f);
  std::vector<float> y(x.size(), 7.0f);
  std::vector<bfloat16> z(x.size(), bfloat16(7.0f));
  crossfix::cuda::layer_norm<bfloat16>(
      crossfix::probe::no_stream(), {}, {x.data(), {rows, channels}}, {ones.data(), {channels}},
      {zeros.data(), {channels}}, 0.0f, {y.data(), {rows, channels}}, {z.data(), {rows, channels}});
  std::vector<double> expected;
  for (Index row = 0; row < rows; ++row) {
    const auto at = [&](Index c) {
      return static_cast<double>(x[static_cast<std::size_t>(row * channels + c)]);
    };
    const auto count = static_cast<double>(channels);
    double mean = 0.0;
    for (Index c = 0; c < channels; ++c) mean += at(c) / count;
    double variance = 0.0;
    for (Index c = 0; c < channels; ++c) variance += (at(c) - mean) * (at(c) - mean) / count;
    for (Index c = 0; c < channels; ++c) expected.push_back((at(c) - mean) / std::sqrt(variance));
  }
  return crossfix::probe::relative_error(z, expected);
}

}  // namespace

int main() {
  bool good = true;
  for (const Index channels : {13, 256, 2000, 8192}) {
    good = crossfix::probe::holds("LayerNorm of " + std::to_string(channels),
                                  [&] { return error(5, channels); }) &&
           good;
  }
  return good ? 0 : 1;
}
