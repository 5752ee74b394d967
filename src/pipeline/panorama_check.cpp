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

/// Whether so large a share of a column's pixels differs by so few levels from its median colour.
constexpr double kUniformShare = 0.8;
constexpr int kUniformLevels = 4;

bool is_uniform(io::ImageView image, Index col) {
  const Index height = image.extent(0);
  const Index channels = image.extent(2);
  std::vector<std::uint8_t> middle;
  for (Index channel = 0; channel < channels; ++channel) {
    std::vector<std::uint8_t> levels;
    for (Index row = 0; row < height; ++row) levels.push_back(image(row, col, channel));
    const auto half = levels.begin() + height / 2;
    std::nth_element(levels.begin(), half, levels.end());
    middle.push_back(*half);
  }
  Index alike = 0;
  for (Index row = 0; row < height; ++row) {
    bool is_alike = true;
    for (Index channel = 0; channel < channels; ++channel) {
      const int level = image(row, col, channel);
      const int usual = middle[static_cast<std::size_t>(channel)];
      is_alike = is_alike && std::abs(level - usual) <= kUniformLevels;
    }
    alike += is_alike ? 1 : 0;
  }
  return static_cast<double>(alike) >= kUniformShare * static_cast<double>(height);
}

}  // namespace

bool has_border(io::ImageView image) {
  const Index width = image.extent(1);
  if (width < 3 || !(is_uniform(image, 0) || is_uniform(image, width - 1))) return false;
  Index uniform = 0;
  for (Index col = 0; col < width; ++col) uniform += is_uniform(image, col) ? 1 : 0;
  return uniform < width;
}

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
