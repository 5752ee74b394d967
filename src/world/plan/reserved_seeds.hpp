/// Which seeds are kept from training. The `world.json` of a data set says whether its seed is one
/// of them; the trainer refuses such data.
#pragma once

#include <cstdint>

namespace crossfix::world {

/// Seeds in [first, last] are for tests. From `first_new_style` on, their cities have styles that
/// no other seed has.
struct ReservedSeeds {
  std::uint64_t first = 9000;
  std::uint64_t first_new_style = 9500;
  std::uint64_t last = 9999;
};

constexpr bool is_reserved(std::uint64_t seed) {
  return seed >= ReservedSeeds{}.first && seed <= ReservedSeeds{}.last;
}
constexpr bool has_reserved_style(std::uint64_t seed) {
  return is_reserved(seed) && seed >= ReservedSeeds{}.first_new_style;
}

}  // namespace crossfix::world
