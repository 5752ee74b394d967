#include "measurement.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossfix/ops/posterior.hpp"

namespace crossfix::eval {

const data::Truth& truth_of(const data::Sample& sample, Mode mode) {
  return mode == Mode::exact ? sample.exact : sample.reference;
}

bool is_scored(const data::Sample& sample, Mode mode) {
  return mode == Mode::exact ? sample.inside : sample.in_reference;
}

Belief belief_of(std::span<const float> logits, std::span<const float> offsets, double temperature,
                 PixelPoint fix, PixelPoint truth) {
  const auto grid = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(logits.size()))));
  const auto cells = static_cast<double>(grid);
  const double row = truth.row * cells;
  const double col = truth.col * cells;
  std::vector<float> probability(logits.size());
  ops::softmax(logits, temperature, probability);
  Belief belief;
  const double away = std::hypot(row - fix.row * cells, col - fix.col * cells);
  belief.level = std::min(
      ops::mass_within({probability, offsets, grid}, fix.row * cells, fix.col * cells, away), 1.0);
  if (!(row >= 0 && row < cells && col >= 0 && col < cells)) return belief;
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp((logit - largest) / temperature);
  const auto cell =
      static_cast<std::size_t>(static_cast<Index>(row) * grid + static_cast<Index>(col));
  belief.log_density = (logits[cell] - largest) / temperature - std::log(sum) + 2 * std::log(cells);
  return belief;
}

Measurement measure(const data::Sample& sample, const Answer& answer, Mode mode,
                    std::size_t ground_image) {
  const data::Truth& truth = truth_of(sample, mode);
  const double row = answer.fix.row * truth.side - truth.pixel.row;
  const double col = answer.fix.col * truth.side - truth.pixel.col;
  const double side_metres = truth.side * truth.metres_per_pixel;
  const Belief& belief = answer.belief(mode);
  Measurement result;
  result.ground_image = ground_image;
  const double pixels = std::sqrt(row * row + col * col);
  result.metres = pixels * truth.metres_per_pixel;
  result.sides = pixels / truth.side;
  result.ahead_metres = -row * truth.metres_per_pixel;
  result.right_metres = col * truth.metres_per_pixel;
  result.radius68_metres = answer.radius68 * side_metres;
  result.level = belief.level;
  if (belief.log_density) result.nll = 2 * std::log(side_metres) - *belief.log_density;
  return result;
}

}  // namespace crossfix::eval
