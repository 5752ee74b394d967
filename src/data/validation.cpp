#include "validation.hpp"

#include <bit>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>

namespace crossfix::data {

std::vector<std::size_t> validation_rows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  constexpr std::uint32_t kSeed = 42;
  std::mt19937 generator(kSeed);
  // NumPy draws a number of at most i like this: it draws as many bits as i has, and rejects
  // numbers above i.
  const auto at_most = [&](std::uint32_t i) {
    const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << std::bit_width(i)) - 1);
    std::uint32_t drawn = 0;
    do drawn = static_cast<std::uint32_t>(generator()) & mask;
    while (drawn > i);
    return drawn;
  };
  for (std::size_t i = count; i-- > 1;) {
    std::swap(rows[i], rows[at_most(static_cast<std::uint32_t>(i))]);
  }
  rows.resize((count + 4) / 5);
  return rows;
}

}  // namespace crossfix::data
