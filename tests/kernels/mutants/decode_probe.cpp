#include <cmath>
#include <span>

#include "crossfix/cuda/decode.hpp"
#include "crossfix/ops/posterior.hpp"
#include "kernels/mutants/probe.hpp"

namespace {

using crossfix::Index;
using crossfix::TensorView;
namespace ops = crossfix::ops;

/// The error of the fixes of images in which a tie decides the cell, and the radius takes many
/// steps.
double error(Index grid) {
  constexpr Index kImages = 3;
  const Index cells = grid * grid;
  std::vector<float> memory(static_cast<std::size_t>(
      ops::HeadOutputs<crossfix::HostSpace>::element_count(kImages, grid)));
  const ops::HeadOutputs<crossfix::HostSpace> heads(memory.data(), kImages, grid);
  const auto random = crossfix::probe::random_elements(kImages * cells, 4);
  std::vector<float> raw(static_cast<std::size_t>(2 * kImages * cells));
  for (Index i = 0; i < kImages * cells; ++i) {
    const auto at = static_cast<std::size_t>(i);
    heads.logits().data()[i] = 4.0f * static_cast<float>(random[at]);
    for (const std::size_t axis : {0, 1})
      raw[2 * at + axis] = static_cast<float>(random[at]) * 3.0f;
  }
  std::copy(raw.begin(), raw.end(), heads.offsets().data());
  for (Index image = 0; image < kImages; ++image) {  // near a corner and, as large, far from it
    heads.logits()(image, grid + 1) = 6.0f;
    heads.logits()(image, cells - grid / 2) = 6.0f;
  }
  crossfix::cuda::decode(crossfix::probe::no_stream(), {},
                         ops::HeadOutputs<crossfix::DeviceSpace>(memory.data(), kImages, grid), {});

  double worst = 0.0;
  for (Index image = 0; image < kImages; ++image) {
    const ops::DecodedFix fix = heads.fix()(image);
    const auto at = static_cast<std::size_t>(2 * (image * cells + grid + 1));
    const double row = 1.0 + 1.0 / (1.0 + std::exp(-static_cast<double>(raw[at])));
    const double col = 1.0 + 1.0 / (1.0 + std::exp(-static_cast<double>(raw[at + 1])));
    const auto numbers = [](const auto& view) {
      return std::span<const float>(view.data(), static_cast<std::size_t>(view.size()));
    };
    const ops::Posterior posterior{numbers(heads.probability()[image]),
                                   numbers(heads.offsets()[image]), grid};
    const double radius = ops::radius_of(posterior, row, col, ops::kRadiusShare);
    for (const double off : {static_cast<double>(fix.row) - row, static_cast<double>(fix.col) - col,
                             static_cast<double>(fix.radius) - radius}) {
      worst = std::abs(off) <= worst || std::isnan(worst) ? worst : std::abs(off);
    }
  }
  return worst * 100.0;  // 2e-4 of a cell against the probes' tolerance
}

}  // namespace

int main() {
  bool good = true;
  for (const Index grid : {9, 32}) {
    good = crossfix::probe::holds("decoding a grid of " + std::to_string(grid),
                                  [&] { return error(grid); }) &&
           good;
  }
  return good ? 0 : 1;
}
