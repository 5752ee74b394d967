#include "pipeline/prefetch.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace crossfix;
using pipeline::Prefetch;

namespace {

/// An item that counts how many of its kind exist.
class Counted {
 public:
  Counted(std::size_t value, std::atomic<int>& alive) : value_(value), alive_(&alive) { ++alive; }
  Counted(Counted&& other) noexcept
      : value_(other.value_), alive_(std::exchange(other.alive_, {})) {}
  Counted& operator=(Counted&& other) noexcept {
    value_ = other.value_;
    std::swap(alive_, other.alive_);
    return *this;
  }
  ~Counted() {
    if (alive_ != nullptr) --*alive_;
  }
  std::size_t value() const { return value_; }

 private:
  std::size_t value_;
  std::atomic<int>* alive_;
};

}  // namespace

TEST_CASE("items come in order, whatever the threads and the time that each takes") {
  const int threads = GENERATE(1, 2, 7);
  const std::size_t ahead = GENERATE(1U, 3U, 100U);
  Prefetch<std::size_t> prefetch(40, ahead, threads, [](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::microseconds(i * 7919 % 300));
    return i;
  });
  for (std::size_t i = 0; i < 40; ++i) CHECK(prefetch.next() == i);
  CHECK_FALSE(prefetch.next());
  CHECK_FALSE(prefetch.next());
}

TEST_CASE(
    "what an item's reading throws is thrown where it is asked for, and the next one follows") {
  Prefetch<std::string> prefetch(5, 5, 2, [](std::size_t i) -> std::string {
    if (i == 1) throw std::runtime_error("no item 1");
    if (i == 3) throw 3;
    return std::to_string(i);
  });
  CHECK(prefetch.next() == "0");
  CHECK_THROWS_WITH(prefetch.next(), "no item 1");
  CHECK(prefetch.next() == "2");
  CHECK_THROWS_AS(prefetch.next(), int);
  CHECK(prefetch.next() == "4");
  CHECK_FALSE(prefetch.next());
}

TEST_CASE("no more items than asked for are read ahead or kept") {
  const int threads = GENERATE(1, 3, 8);
  constexpr int kAhead = 3;
  std::atomic<int> alive = 0;
  std::atomic<int> most = 0;
  std::atomic<std::size_t> begun = 0;
  Prefetch<Counted> prefetch(60, kAhead, threads, [&](std::size_t i) {
    ++begun;
    Counted item(i, alive);
    int seen = most;
    while (seen < alive && !most.compare_exchange_weak(seen, alive)) {
    }
    return item;
  });
  for (std::size_t i = 0; i < 60; ++i) {
    CHECK(begun <= i + kAhead);
    const auto item = prefetch.next();
    REQUIRE(item);
    CHECK(item->value() == i);
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // the threads read all they may
  }
  CHECK(most <= kAhead + 1);  // and the one that was taken
  CHECK(alive == 0);
}

TEST_CASE("who ends early waits for the items being read alone, and none is left") {
  std::atomic<int> alive = 0;
  std::atomic<std::size_t> begun = 0;
  std::promise<void> let_go;
  const std::shared_future<void> gate = let_go.get_future().share();
  std::thread opener;
  {
    Prefetch<Counted> prefetch(1000, 8, 2, [&](std::size_t i) {
      if (++begun > 2) gate.wait();
      return Counted(i, alive);
    });
    CHECK(prefetch.next()->value() == 0);
    opener = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      let_go.set_value();
    });
  }
  opener.join();
  CHECK(begun <= 1 + 8);
  CHECK(alive == 0);
}

TEST_CASE("no items, and neither threads nor items ahead, are taken as they can be") {
  Prefetch<int> none(0, 4, 4, [](std::size_t) { return 1; });
  CHECK_FALSE(none.next());
  Prefetch<int> least(2, 0, 0, [](std::size_t i) { return static_cast<int>(i); });
  CHECK(least.next() == 0);
  CHECK(least.next() == 1);
  CHECK_FALSE(least.next());
}
