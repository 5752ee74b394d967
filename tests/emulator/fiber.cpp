#include "emulator/fiber.hpp"

#include <cstdint>

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
  swapcontext(&resumer_, &context_);
  entered_stack(fake, nullptr, nullptr);
  return returned_;
}

void Fiber::give_way() { leave(); }

void Fiber::leave() {
  leaving_stack(&fake_stack_, resumer_stack_, resumer_stack_bytes_);
  swapcontext(&context_, &resumer_);
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
    leave();
  }
}

}  // namespace crossfix::emulator
