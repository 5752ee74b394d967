#include "thread_count.hpp"

#include <algorithm>
#include <iterator>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

namespace crossfix::pipeline {

std::string too_many_threads(int threads) {
  constexpr unsigned kMostOfACore = 4;
  const unsigned cores = std::thread::hardware_concurrency();
  if (cores == 0 || static_cast<unsigned>(threads) <= kMostOfACore * cores) return {};
  return "--threads " + std::to_string(threads) + " on " + std::to_string(cores) +
         (cores == 1 ? " core: " : " cores: ") + "they will wait for each other";
}

int usable_threads(int wanted, const std::function<void(const std::string&)>& warn) {
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
