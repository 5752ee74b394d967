#include "heading_noise.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "crossfix/detail/counter_generator.hpp"

namespace crossfix::data {

namespace {

/// In [-1, 1).
double draw_of(const HeadingNoise& noise, std::string_view ground) {
  std::string key = "heading " + std::to_string(noise.seed) + " ";
  key += ground;
  return detail::value(detail::stream(key), 0);
}

}  // namespace

Index heading_columns(const HeadingNoise& noise, std::string_view ground, Index width) {
  if (!noise.rolls()) return 0;
  const double share = draw_of(noise, ground) * noise.degrees / 360;
  return static_cast<Index>(std::llround(share * static_cast<double>(width)));
}

double heading_of(const HeadingNoise& noise, std::string_view ground, Index width) {
  const Index columns = heading_columns(noise, ground, width);
  return static_cast<double>(columns) * 360 / static_cast<double>(width);
}

double heading_of(const HeadingNoise& noise, std::string_view ground) {
  return noise.rolls() ? draw_of(noise, ground) * noise.degrees : 0;
}

camera::Heading told_heading(const HeadingNoise& noise) {
  if (!noise.rolls()) return {.known = true};
  if (noise.degrees >= 180) return {};
  return {.known = true, .sigma_degrees = noise.degrees / std::numbers::sqrt3};
}

void roll(io::Image& panorama, Index columns) {
  const Index width = panorama.extent(1);
  const Index first = (columns % width + width) % width;  // what the first column becomes
  for (Index row = 0; row < panorama.extent(0); ++row) {
    std::uint8_t* const begin = &panorama(row, 0, 0);
    std::rotate(begin, begin + 3 * first, begin + 3 * width);
  }
}

}  // namespace crossfix::data
