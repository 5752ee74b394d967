#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossfix/ops/posterior.hpp"
#include "eval/measurement.hpp"

namespace crossfix::test {

/// What eval::belief_of returns for a fix with these raw outputs, whose grid covers a tile of 100
/// pixels a side; `fix` and `truth` are in shares of that side.
inline eval::Belief belief_of(const std::vector<float>& logits, const std::vector<float>& offsets,
                              double temperature, PixelPoint fix, PixelPoint truth) {
  constexpr Index kSide = 100;
  Fix found;
  found.pixel = {kSide * fix.row, kSide * fix.col};
  found.window = {0, 0, kSide, kSide};
  found.grid = std::lround(std::sqrt(static_cast<double>(logits.size())));
  found.logits = logits;
  found.offsets = offsets;
  found.cell = std::max_element(logits.begin(), logits.end()) - logits.begin();
  found.probability.resize(logits.size());
  ops::softmax(logits, temperature, found.probability);
  return eval::belief_of(found, {kSide, kSide}, temperature, truth);
}

}  // namespace crossfix::test
