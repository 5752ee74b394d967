#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <memory>

namespace crossfix::emulator {

/// A function with its own stack that can pause anywhere and is resumed there. Fibers are resumed
/// only from the ordinary stack of the thread, and return only to it.
class Fiber {
 public:
  static constexpr std::size_t kStackBytes = 256 * 1024;

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Makes the next resume run `entry(argument)`. The last entry must have returned. `entry` must
  /// not throw.
  void start(void (*entry)(void*), void* argument);

  /// Runs until the entry pauses or returns; true if it returned.
  bool resume();

  /// Called inside the fiber: returns to the caller of resume.
  void give_way();

 private:
  static void run(unsigned low, unsigned high);
  void loop();

  std::unique_ptr<unsigned char[]> stack_;
  ucontext_t context_{};  // where the fiber continues
  ucontext_t resumer_{};  // where its resumer continues
  jmp_buf fiber_jump_{};
  jmp_buf resumer_jump_{};
  bool begun_ = false;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool returned_ = true;
  // What AddressSanitizer must know about a change of stacks.
  void* fake_stack_ = nullptr;
  const void* resumer_stack_ = nullptr;
  std::size_t resumer_stack_bytes_ = 0;
};

}  // namespace crossfix::emulator
