#include "emulator/fiber.hpp"

#include <cstdint>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace crossfix::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
void leaving_stack(void** fake, const void* to, std::size_t bytes) {
  __sanitizer_start_switch_fiber(fake, to, bytes);
}
void entered_stack(void* fake, const void** from, std::size_t* bytes) {
  __sanitizer_finish_switch_fiber(fake, from, bytes);
}
#else
void leaving_stack(void**, const void*, std::size_t) {}
void entered_stack(void*, const void**, std::size_t*) {}
#endif

/// Continues at `to`, through its context only the first time: swapcontext asks the kernel for the
/// signal mask, and AddressSanitizer then clears what it knows of the whole stack. That takes many
/// times as long as a jump.
void change(ucontext_t& from, const ucontext_t& to, jmp_buf& from_jump, jmp_buf& to_jump,
            bool to_has_begun) {
  if (_setjmp(from_jump) != 0) return;
  if (to_has_begun) _longjmp(to_jump, 1);
  swapcontext(&from, &to);
}

}  // namespace

Fiber::Fiber() : stack_(new unsigned char[kStackBytes]) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_.get();
  context_.uc_stack.ss_size = kStackBytes;
  context_.uc_link = nullptr;
  // makecontext passes ints, of which two hold a pointer.
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::run), 2,
              static_cast<unsigned>(self & 0xffffffffu),
              static_cast<unsigned>(static_cast<std::uint64_t>(self) >> 32));
}

Fiber::~Fiber() = default;

void Fiber::start(void (*entry)(void*), void* argument) {
  entry_ = entry;
  argument_ = argument;
  returned_ = false;
}

bool Fiber::resume() {
  void* fake = nullptr;
  leaving_stack(&fake, stack_.get(), kStackBytes);
  change(resumer_, context_, resumer_jump_, fiber_jump_, std::exchange(begun_, true));
  entered_stack(fake, nullptr, nullptr);
  return returned_;
}

void Fiber::give_way() {
  leaving_stack(&fake_stack_, resumer_stack_, resumer_stack_bytes_);
  change(context_, resumer_, fiber_jump_, resumer_jump_, true);
  entered_stack(fake_stack_, &resumer_stack_, &resumer_stack_bytes_);
}

void Fiber::run(unsigned low, unsigned high) {
  const auto self = (static_cast<std::uint64_t>(high) << 32) | low;
  reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>(self))->loop();
}

void Fiber::loop() {
  entered_stack(nullptr, &resumer_stack_, &resumer_stack_bytes_);
  for (;;) {
    entry_(argument_);
    returned_ = true;
    give_way();
  }
}

}  // namespace crossfix::emulator
