#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace crossfix::eval {

/// Number of bootstrap draws, and the seed of the generator.
inline constexpr int kBootstrapDraws = 1000;
inline constexpr unsigned kBootstrapSeed = 42;

/// Draws as many of `images` ground images as there are, with replacement, and calls `use(times)`
/// for each draw with how often each image is in it. The draws are always the same.
template <class Use>
void bootstrap(std::size_t images, const Use& use) {
  std::vector<std::uint32_t> times(images);
  std::mt19937 generator(kBootstrapSeed);
  for (int draw = 0; draw < kBootstrapDraws; ++draw) {
    std::fill(times.begin(), times.end(), 0U);
    for (std::size_t i = 0; i < images; ++i) {
      // The upper half of a product: uniform to one part in 2^32 / images, and the same everywhere.
      ++times[(std::uint64_t{generator()} * images) >> 32U];
    }
    use(times);
  }
}

}  // namespace crossfix::eval
