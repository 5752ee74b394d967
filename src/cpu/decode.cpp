#include "crossfix/cpu/decode.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
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

void decode_image(const ops::HeadOutputs<HostSpace>& outputs, const ops::Decoding& decoding,
                  Index image) {
  const Index grid = outputs.grid();
  const auto logits = row_of(outputs.logits(), image);
  const auto offsets = row_of(outputs.offsets(), image);
  const auto probability = row_of(outputs.probability(), image);
  if (decoding.sigmoid) {
    for (float& offset : offsets) offset = 1.0F / (1.0F + std::exp(-offset));
  }
  ops::softmax(logits, decoding.temperature, probability);
  const Index cell = std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto [row, col] = ops::fix_position(logits, offsets, grid, cell, decoding.fix);
  const ops::Posterior posterior{probability, offsets, grid};
  const auto covariance = ops::moments_of(posterior).covariance;
  const double radius = ops::radius_of(posterior, row, col, ops::kRadiusShare);
  outputs.fix()(image) = {
      .cell = static_cast<std::int32_t>(cell),
      .row = static_cast<float>(row),
      .col = static_cast<float>(col),
      .covariance = {static_cast<float>(covariance[0]), static_cast<float>(covariance[1]),
                     static_cast<float>(covariance[2])},
      .radius = static_cast<float>(radius)};
}

}  // namespace

void decode(Context& context, const ops::HeadOutputs<HostSpace>& outputs,
            const ops::Decoding& decoding) {
  if (outputs.batch() < 1 || outputs.grid() < 1) {
    throw ShapeError("head outputs of " + std::to_string(outputs.batch()) +
                     " images on a grid of " + std::to_string(outputs.grid()) +
                     "; expected at least 1 of each");
  }
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index image = 0; image < outputs.batch(); ++image) {
    decode_image(outputs, decoding, image);
  }
}

}  // namespace crossfix::cpu
