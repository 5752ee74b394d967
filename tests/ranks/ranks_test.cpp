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
