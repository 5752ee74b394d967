#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "emulator/fault.hpp"
#include "emulator/fiber.hpp"
#include "emulator/language.hpp"
#include "emulator/shared_memory.hpp"

namespace crossfix::emulator {

/// Something that a thread waits for. It has a description, for the message of a deadlock.
class Waitable {
 public:
  virtual ~Waitable() = default;
  virtual std::string describe() const = 0;
};

/// The state that one kind of construct keeps for a block, made at its first use in the block.
class Part {
 public:
  virtual ~Part() = default;
  /// A thread has returned from the kernel.
  virtual void thread_returned(unsigned /*thread*/) {}
  /// Every thread has returned. Throws Fault if something is still in progress that must not be.
  virtual void block_ended() {}
};

/// The slot that a Part is kept in.
enum class Slot { barriers, warps, copies, arrivals, tensors, products, registers, count };

/// What runs beside the threads of a block.
enum class Work { copy, product };

/// The block that is running. Its threads are fibers; a fiber runs until it waits. The order is
/// drawn from the seed, for each block again: either any thread that can run is next, or warps have
/// ranks, so that some run far ahead and others lag behind until ranks are drawn again.
/// Asynchronous work is deferred until no thread can run, as late as the waits of the kernel allow.
/// One kind may go before the other, or neither; the oldest first, or any.
class Block {
 public:
  /// Threads of the block that is running. Throws Fault if none is.
  static Block& current();

  Block(unsigned threads, std::size_t shared_bytes, std::string what, std::uint64_t seed);
  ~Block();

  /// Runs one block to its end. Throws what a thread threw, and Fault for a deadlock.
  void run(dim3 index, const std::function<void()>& body);

  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }
  unsigned running() const { return running_; }
  bool has_returned(unsigned thread) const { return threads_[thread].returned; }
  unsigned alive() const { return alive_; }
  SharedMemory& shared() { return shared_; }

  /// The running thread waits until another one wakes it.
  void wait(const Waitable& reason);
  void wake(unsigned thread);
  /// Lets any other thread that can run do so at this point.
  void give_way();
  /// Does `work` at the latest time that the waits allow.
  void defer(Work kind, std::function<void()> work) {
    deferred_.push_back({kind, std::move(work)});
  }

  /// A number below `bound`.
  std::size_t draw(std::size_t bound) { return static_cast<std::size_t>(draw() % bound); }

  /// Throws Fault with the kernel's name, the block and the running thread before `message`.
  [[noreturn]] void fail(const std::string& message) const;

  template <class T>
  T& part() {
    auto& slot = parts_[static_cast<std::size_t>(T::kSlot)];
    if (slot == nullptr) slot = std::make_unique<T>(*this);
    return static_cast<T&>(*slot);
  }

 private:
  struct Thread {
    Fiber* fiber = nullptr;
    Block* block = nullptr;
    unsigned index = 0;
    bool returned = false;
    const Waitable* reason = nullptr;
  };
  struct Deferred {
    Work kind;
    std::function<void()> work;
  };
  struct Order {
    bool copies_first = false;
    bool products_first = false;
    bool oldest_first = false;
    bool ranked = false;  // threads, by their warp
  };
  struct Ready {
    std::uint64_t rank;
    unsigned thread;
    bool operator<(const Ready& other) const { return rank < other.rank; }
  };
  struct Cancelled {};
  static constexpr unsigned kNobody = ~0u;

  std::uint64_t draw();
  static void enter(void* thread);
  void draw_order();
  void draw_rank(unsigned warp);
  void resume(unsigned thread);
  void do_deferred();
  void cancel_all();
  std::string deadlock() const;

  std::string what_;
  std::uint64_t state_;
  SharedMemory shared_;
  std::vector<Thread> threads_;
  std::priority_queue<Ready> ready_;
  std::vector<std::uint32_t> warp_ranks_;
  std::vector<Deferred> deferred_;  // oldest first
  Order order_;
  std::array<std::unique_ptr<Part>, static_cast<std::size_t>(Slot::count)> parts_;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr thrown_;
  dim3 index_;
  unsigned running_ = kNobody;
  unsigned alive_ = 0;
  bool cancelling_ = false;
};

/// Threads in short form: "3", "0-31, 64".
std::string ranges_of(const std::vector<unsigned>& sorted);

}  // namespace crossfix::emulator
