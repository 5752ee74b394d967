#include "emulator/shared_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) \
  (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) \
  (static_cast<void>(address), static_cast<void>(size))
#endif

namespace crossfix::emulator {
namespace {

constexpr std::size_t kGuardBytes = 1024;
constexpr unsigned char kGuard = 0xa5;

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : bytes_(bytes), data_(allocate(bytes)), asynchronous_(allocate(bytes)) {
  std::memset(data_.get() + bytes_, kGuard, kGuardBytes);
  ASAN_POISON_MEMORY_REGION(data_.get() + bytes_, kGuardBytes);
}

SharedMemory::~SharedMemory() { ASAN_UNPOISON_MEMORY_REGION(data_.get() + bytes_, kGuardBytes); }

SharedMemory::Memory SharedMemory::allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes + kGuardBytes) != 0) throw std::bad_alloc();
  return Memory(static_cast<unsigned char*>(memory));
}

void SharedMemory::Release::operator()(unsigned char* memory) const { std::free(memory); }

void SharedMemory::poison() {
  std::memset(data_.get(), kPoison, bytes_);
  std::memset(asynchronous_.get(), kPoison, bytes_);
}

bool SharedMemory::holds(const void* begin, std::size_t bytes) const {
  const auto at = reinterpret_cast<std::uintptr_t>(begin);
  const auto first = reinterpret_cast<std::uintptr_t>(data_.get());
  return at >= first && at - first <= bytes_ && bytes <= bytes_ - (at - first);
}

std::size_t SharedMemory::offset_of(const void* address) const {
  return static_cast<std::size_t>(static_cast<const unsigned char*>(address) - data_.get());
}

bool SharedMemory::guard_intact() const {
#if defined(__SANITIZE_ADDRESS__)
  return true;  // a write there would have been reported
#else
  const unsigned char* guard = data_.get() + bytes_;
  return std::all_of(guard, guard + kGuardBytes, [](unsigned char byte) { return byte == kGuard; });
#endif
}

}  // namespace crossfix::emulator
