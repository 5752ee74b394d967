#include "measurement.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "crossfix/ops/posterior.hpp"

namespace crossfix::eval {

const data::Truth& truth_of(const data::Sample& sample, Mode mode) {
  return mode == Mode::true_ ? sample.true_ : sample.reference;
}

bool is_scored(const data::Sample& sample, Mode mode) {
  return !sample.wrong && (mode == Mode::true_ ? sample.inside : sample.in_reference);
}

Belief belief_of(const Fix& fix, const Shape<2>& tile, double temperature, PixelPoint truth) {
  const auto cells = static_cast<double>(fix.grid);
  const auto height = static_cast<double>(tile[0]);
  const auto width = static_cast<double>(tile[1]);
  // The grid may cover something other than exactly the tile.
  const PixelWindow& window = fix.window;
  const auto row_of = [&](double pixel) { return (pixel - window.row) / window.height * cells; };
  const auto col_of = [&](double pixel) { return (pixel - window.col) / window.width * cells; };
  const double row = row_of(truth.row * height);
  const double col = col_of(truth.col * width);
  const double fix_row = row_of(fix.pixel.row);
  const double fix_col = col_of(fix.pixel.col);
  Belief belief;
  const ops::Posterior posterior{fix.probability, fix.offsets, fix.grid};
  const double away = std::hypot(row - fix_row, col - fix_col);
  belief.level = std::min(ops::mass_within(posterior, fix_row, fix_col, away), 1.0);
  if (!(row >= 0 && row < cells && col >= 0 && col < cells)) return belief;
  // From the logits and in double, because the probabilities are floats and may be 0.
  const double largest = fix.logits[static_cast<std::size_t>(fix.cell)];
  double sum = 0;
  for (const float logit : fix.logits) sum += std::exp((logit - largest) / temperature);
  const auto cell =
      static_cast<std::size_t>(static_cast<Index>(row) * fix.grid + static_cast<Index>(col));
  belief.log_density = (fix.logits[cell] - largest) / temperature - std::log(sum) +
                       2 * std::log(cells) +
                       std::log(height / window.height * width / window.width);
  return belief;
}

Answer answer_of(const data::Sample& sample, const Fix& fix, const Shape<2>& tile,
                 double temperature, std::optional<double> heading_degrees) {
  const auto height = static_cast<double>(tile[0]);
  const auto width = static_cast<double>(tile[1]);
  const auto belief = [&](const data::Truth& truth) {
    return belief_of(fix, tile, temperature,
                     {truth.pixel.row / truth.side, truth.pixel.col / truth.side});
  };
  Answer answer;
  answer.fix = {fix.pixel.row / height, fix.pixel.col / width};
  answer.radius68 = fix.radius68_px / std::sqrt(height * width);
  answer.heading_degrees = heading_degrees;
  answer.nowhere = fix.nowhere;
  answer.evidence = fix.evidence;
  if (sample.wrong) return answer;
  answer.reference = belief(sample.reference);
  answer.true_ = belief(sample.true_);
  if (!fix.heading_probability.empty() && fix.heading_degrees) {
    answer.heading_error_degrees =
        std::remainder(*fix.heading_degrees - heading_degrees.value_or(0), 360.0);
  }
  return answer;
}

Measurement measure(const data::Sample& sample, const Answer& answer, Mode mode,
                    std::size_t ground_image) {
  const data::Truth& truth = truth_of(sample, mode);
  const double row = answer.fix.row * truth.side - truth.pixel.row;
  const double col = answer.fix.col * truth.side - truth.pixel.col;
  const double side_metres = truth.side * truth.metres_per_pixel;
  const Belief& belief = answer.belief(mode);
  Measurement result;
  result.sample = sample.number;
  result.ground_image = ground_image;
  const double pixels = std::sqrt(row * row + col * col);
  result.metres = pixels * truth.metres_per_pixel;
  result.sides = pixels / truth.side;
  const double heading = answer.heading_degrees.value_or(0) * std::numbers::pi / 180;
  const double up = -row * truth.metres_per_pixel;
  const double right = col * truth.metres_per_pixel;
  result.ahead_metres = up * std::cos(heading) + right * std::sin(heading);
  result.right_metres = right * std::cos(heading) - up * std::sin(heading);
  if (answer.heading_error_degrees) {
    result.heading_degrees = std::abs(*answer.heading_error_degrees);
  }
  result.radius68_metres = answer.radius68 * side_metres;
  result.level = belief.level;
  if (belief.log_density) result.nll = 2 * std::log(side_metres) - *belief.log_density;
  return result;
}

}  // namespace crossfix::eval
