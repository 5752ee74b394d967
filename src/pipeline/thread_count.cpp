#include "thread_count.hpp"

#include <algorithm>
#include <iterator>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

namespace crossfix::pipeline {

int usable_threads(int asked, int cores, const std::function<void(const std::string&)>& warn) {
  constexpr int kMostOfACore = 4;
  const auto machine = static_cast<int>(std::thread::hardware_concurrency());
  if (machine > 0 && asked > kMostOfACore * machine) {
    warn("--threads " + std::to_string(asked) + " on " + std::to_string(machine) +
         (machine == 1 ? " core: " : " cores: ") + "they will wait for each other");
  }
  int wanted = asked > 0 ? asked : cores;
  std::latch end(1);
  std::vector<std::jthread> others;
  try {
    while (std::ssize(others) < wanted - 1) others.emplace_back([&end] { end.wait(); });
  } catch (const std::system_error&) {
    const auto started = static_cast<int>(others.size()) + 1;
    wanted = std::max(1, started / 2);
    warn("only " + std::to_string(started) +
         " threads can be started, see the limits on processes and memory (ulimit -u, -v); going "
         "on with " +
         std::to_string(wanted));
  }
  end.count_down();
  return wanted;
}

}  // namespace crossfix::pipeline
