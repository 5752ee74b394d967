#include "ranks/ranks.hpp"

#include <catch2/catch.hpp>

using namespace crossfix;

TEST_CASE("one process is all the ranks there are") {
  const auto ranks = ranks::start(0, nullptr);
  CHECK(ranks->alone());
  CHECK(ranks->first());
  CHECK(ranks->topology().cpus == ranks::cpu_count());
  CHECK(ranks->gather("a") == std::vector<std::string>{"a"});
  CHECK(ranks->broadcast("b") == "b");
  ranks->barrier();
  std::string received;
  ranks->send("to nobody");
  ranks->on_receive([&](const std::string& message) { received += message; });
  ranks->send("c");
  ranks->send("d");
  CHECK(received == "cd");
}
