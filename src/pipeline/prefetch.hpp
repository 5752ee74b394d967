#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "crossfix/core/shape.hpp"

namespace crossfix::pipeline {

/// Reads items 0 to count - 1 on its own threads, a bounded number of them ahead of the caller, and
/// returns them in order, for any number of threads. One thread may use it.
template <class T>
class Prefetch {
 public:
  /// `read(i)` makes item i; several threads call it at once. At most `ahead` items (at least 1)
  /// are being read or waiting. Goes on with fewer threads if not all can be started. Throws
  /// std::system_error if none can.
  Prefetch(std::size_t count, std::size_t ahead, int threads, std::function<T(std::size_t)> read)
      : read_(std::move(read)), count_(count), slots_(std::max<std::size_t>(ahead, 1)) {
    const std::size_t wanted = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
    threads_.reserve(wanted);
    try {
      while (threads_.size() < wanted) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      if (!threads_.empty()) return;
      throw std::system_error(
          error.code(),
          "no thread can be started to read images, see the limits on processes "
          "and memory (ulimit -u, -v)");
    }
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// Starts no more items, and waits for those being read.
  ~Prefetch() { stop(); }

  /// The next item; empty after the last. Throws what `read` threw for this item; the next call
  /// continues with the item after it.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    if (returned_ == count_) return {};
    Slot& slot = slots_[returned_ % slots_.size()];
    changed_.wait(lock, [&] { return slot.done; });
    Slot taken = std::exchange(slot, {});
    ++returned_;
    changed_.notify_all();
    lock.unlock();
    if (taken.error) std::rethrow_exception(taken.error);
    return std::move(taken.item);
  }

 private:
  /// Holds an item, or what `read` threw, until it is returned.
  struct Slot {
    bool done = false;
    std::optional<T> item;
    std::exception_ptr error;
  };

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(
          lock, [&] { return stopped_ || begun_ == count_ || begun_ < returned_ + slots_.size(); });
      if (stopped_ || begun_ == count_) return;
      const std::size_t i = begun_++;
      lock.unlock();
      Slot slot;
      try {
        slot.item.emplace(read_(i));
      } catch (...) {
        slot.error = std::current_exception();
      }
      slot.done = true;
      lock.lock();
      slots_[i % slots_.size()] = std::move(slot);
      changed_.notify_all();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::function<T(std::size_t)> read_;
  std::size_t count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t begun_ = 0;     ///< items that threads have started
  std::size_t returned_ = 0;  ///< items that `next` has returned or thrown for
  bool stopped_ = false;
  std::vector<Slot> slots_;  ///< item i in slot i modulo their number
  std::vector<std::thread> threads_;
};

/// How many pairs to read ahead of a network that takes `batch` pairs at a time: the next batch, or
/// enough to hide an image that takes long; but few enough that large photos do not fill the
/// memory.
inline std::size_t pairs_ahead(Index batch) {
  constexpr Index kLeast = 4;
  return static_cast<std::size_t>(std::max(batch, kLeast));
}

}  // namespace crossfix::pipeline
