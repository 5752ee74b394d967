#include "crossfix/cpu/decode.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>

#include "crossfix/ops/posterior.hpp"

namespace crossfix::cpu {
namespace {

/// Row `image` of a view over a batch, as a span.
template <std::size_t Rank>
std::span<float> row_of(const TensorView<float, Rank>& view, Index image) {
  const auto row = view[image];
  return {row.data(), static_cast<std::size_t>(row.size())};
}

void decode_image(const ops::DecoderOutputs<HostSpace>& outputs, const ops::Decoding& decoding,
                  Index image) {
  const Index grid = outputs.grid();
  const auto logits = row_of(outputs.logits(), image);
  const auto offsets = row_of(outputs.offsets(), image);
  const auto probability = row_of(outputs.probability(), image);
  const auto fix = row_of(outputs.fix(), image);
  if (decoding.sigmoid) {
    for (float& offset : offsets) offset = 1.0F / (1.0F + std::exp(-offset));
  }
  ops::softmax(logits, decoding.temperature, probability);
  const Index cell = std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto [row, col] = ops::fix_position(logits, offsets, grid, cell, decoding.fix);
  const ops::Posterior posterior{probability, offsets, grid};
  const auto covariance = ops::spread_of(posterior).covariance;
  const double radius = ops::radius_of(posterior, row, col, ops::kRadiusShare);
  const std::array<double, ops::kFixValues> values{
      static_cast<double>(cell), row, col, covariance[0], covariance[1], covariance[2], radius, 0};
  std::transform(values.begin(), values.end(), fix.begin(),
                 [](double value) { return static_cast<float>(value); });
}

}  // namespace

void decode(Context& context, const ops::DecoderOutputs<HostSpace>& outputs,
            const ops::Decoding& decoding) {
  if (outputs.batch() < 1 || outputs.grid() < 1) {
    throw ShapeError("decoder outputs of " + std::to_string(outputs.batch()) +
                     " images on a grid of " + std::to_string(outputs.grid()) +
                     "; expected at least 1 of each");
  }
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index image = 0; image < outputs.batch(); ++image) {
    decode_image(outputs, decoding, image);
  }
}

}  // namespace crossfix::cpu
