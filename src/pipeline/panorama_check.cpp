#include "panorama_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace crossfix::pipeline {
namespace {

/// The edges differ by more than twice as much as 95 % of the columns side by side, and by more
/// than what noise and compression do.
constexpr double kShare = 0.95;
constexpr double kRatio = 2;
constexpr double kLeastLevels = 4;

/// Mean difference of two columns, grey levels.
double difference(io::ImageView image, Index a, Index b) {
  Index sum = 0;
  for (Index row = 0; row < image.extent(0); ++row) {
    for (Index channel = 0; channel < image.extent(2); ++channel) {
      sum += std::abs(int{image(row, a, channel)} - int{image(row, b, channel)});
    }
  }
  return static_cast<double>(sum) / static_cast<double>(image.extent(0) * image.extent(2));
}

}  // namespace

bool is_open_panorama(io::ImageView image) {
  const Index width = image.extent(1);
  if (width < 3) return false;
  std::vector<double> steps;
  for (Index col = 1; col < width; ++col) steps.push_back(difference(image, col - 1, col));
  const auto usual = steps.begin() + std::lround(kShare * static_cast<double>(width - 2));
  std::nth_element(steps.begin(), usual, steps.end());
  return difference(image, 0, width - 1) > std::max(kRatio * *usual, kLeastLevels);
}

}  // namespace crossfix::pipeline
