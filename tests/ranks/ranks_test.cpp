#include "ranks/ranks.hpp"

#include <catch2/catch.hpp>

using namespace crossfix;

TEST_CASE("one process is all the ranks there are") {
  const auto ranks = ranks::start(0, nullptr);
  CHECK(ranks->alone());
  CHECK(ranks->first());
  CHECK(ranks->place().cpus == ranks::cpu_count());
  CHECK(ranks->gather("a") == std::vector<std::string>{"a"});
  CHECK(ranks->broadcast("b") == "b");
  ranks->barrier();
  std::string heard;
  ranks->tell("to nobody");
  ranks->listen([&](const std::string& message) { heard += message; });
  ranks->tell("c");
  ranks->tell("d");
  CHECK(heard == "cd");
}

TEST_CASE("parts follow each other, lose nothing, and differ by one at most") {
  for (const std::size_t count : {0, 1, 5, 64, 1000}) {
    for (const int size : {1, 2, 3, 7}) {
      std::size_t next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const auto [begin, end] = ranks::part_of(count, rank, size);
        CHECK(begin == next);
        CHECK(end - begin >= count / static_cast<std::size_t>(size));
        CHECK(end - begin <= count / static_cast<std::size_t>(size) + 1);
        next = end;
      }
      CHECK(next == count);
    }
  }
}
