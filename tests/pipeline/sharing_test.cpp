#include "pipeline/sharing.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace crossfix;

TEST_CASE("every group falls to one rank, in order, and shares differ by one at most") {
  for (const std::size_t count : {0U, 1U, 5U, 64U, 1000U}) {
    for (const int size : {1, 2, 3, 7}) {
      std::vector<int> times(count, 0);
      for (int rank = 0; rank < size; ++rank) {
        const auto groups = pipeline::groups_of_rank(count, {.rank = rank, .size = size});
        CHECK(std::is_sorted(groups.begin(), groups.end()));
        CHECK(groups.size() >= count / static_cast<std::size_t>(size));
        CHECK(groups.size() <= count / static_cast<std::size_t>(size) + 1);
        for (const std::size_t group : groups) ++times.at(group);
      }
      CHECK(std::count(times.begin(), times.end(), 1) == static_cast<std::ptrdiff_t>(count));
    }
  }
}

TEST_CASE("ranks move through the groups together, rank 0 first") {
  CHECK(pipeline::groups_of_rank(7, {.rank = 0, .size = 3}) == std::vector<std::size_t>{0, 3, 6});
  CHECK(pipeline::groups_of_rank(7, {.rank = 2, .size = 3}) == std::vector<std::size_t>{2, 5});
}
