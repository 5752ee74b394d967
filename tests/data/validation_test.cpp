#include "data/validation.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

using crossfix::data::validation_rows;

namespace {

/// A hash of rows that depends on their order.
std::uint64_t hash_of(const std::vector<std::size_t>& rows) {
  std::uint64_t hash = 0;
  for (const std::size_t row : rows) hash = hash * 1000003 + row;
  return hash;
}

}  // namespace

TEST_CASE("validation is the fifth that NumPy's permutation begins with") {
  // From numpy.random.RandomState(42).permutation(n) of NumPy 2.4.
  CHECK(validation_rows(0).empty());
  CHECK(validation_rows(1) == std::vector<std::size_t>{0});
  CHECK(validation_rows(2) == std::vector<std::size_t>{1});
  CHECK(validation_rows(7) == std::vector<std::size_t>{0, 1});
  CHECK(hash_of(validation_rows(1000)) == 0xb51301fe199cbc37);
  const auto same_area = validation_rows(52609);
  CHECK(same_area.size() == 10522);
  CHECK(same_area[0] == 38086);
  CHECK(hash_of(same_area) == 0x250b14121d6dd52b);
  CHECK(hash_of(validation_rows(51520)) == 0x3e0d0a60784fa48);
}
