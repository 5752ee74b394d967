#include "support/allocation_counter.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

// GCC has its own macros. Some headers define __has_feature for it, as always false.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CROSSFIX_SANITIZED 1
#elif defined(__has_feature)
#define CROSSFIX_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define CROSSFIX_SANITIZED 0
#endif
#if defined(__GLIBC__) && !CROSSFIX_SANITIZED
#define CROSSFIX_COUNT_ALLOCATIONS 1
#else
#define CROSSFIX_COUNT_ALLOCATIONS 0
#endif

namespace crossfix::test {
namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> own_calls{0};
std::atomic<std::size_t> library_calls{0};

/// Address ranges of the libraries whose allocations count as their own.
struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
};
std::array<Range, 8> ranges;
std::size_t range_count = 0;

int note_library(dl_phdr_info* info, std::size_t, void*) {
  const bool theirs = std::strstr(info->dlpi_name, "libdnnl") != nullptr ||
                      std::strstr(info->dlpi_name, "libgomp") != nullptr;
  for (int i = 0; theirs && i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0 || range_count == ranges.size()) {
      continue;
    }
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    ranges[range_count++] = {begin, begin + part.p_memsz};
  }
  return 0;
}

bool in_library(const void* address) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  for (std::size_t i = 0; i < range_count; ++i) {
    if (a >= ranges[i].begin && a < ranges[i].end) return true;
  }
  return false;
}

[[maybe_unused]] void note_call() {
  static thread_local bool inside = false;  // backtrace may itself allocate
  if (inside || !counting.load(std::memory_order_relaxed)) return;
  inside = true;
  // The nearest caller outside the C and C++ run-times decides. The run-times have no ranges here,
  // so it is enough to look for a frame of a library among the first few.
  constexpr int kFrames = 8;
  std::array<void*, kFrames> frames;
  const int depth = backtrace(frames.data(), kFrames);
  bool library = false;
  for (int i = 0; i < depth && !library; ++i) {
    library = in_library(frames[static_cast<std::size_t>(i)]);
  }
  (library ? library_calls : own_calls).fetch_add(1, std::memory_order_relaxed);
  inside = false;
}

}  // namespace

AllocationCounter::AllocationCounter() {
  std::array<void*, 1> frame;
  backtrace(frame.data(), 1);  // loads the unwinder, which allocates
  range_count = 0;
  dl_iterate_phdr(note_library, nullptr);
  own_calls = 0;
  library_calls = 0;
  counting = true;
}

AllocationCounter::~AllocationCounter() { counting = false; }

AllocationCounts AllocationCounter::counts() const { return {own_calls, library_calls}; }

bool allocations_are_counted() { return CROSSFIX_COUNT_ALLOCATIONS != 0; }

}  // namespace crossfix::test

#if CROSSFIX_COUNT_ALLOCATIONS
// The C library's own entry points, under their internal names.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  crossfix::test::note_call();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  crossfix::test::note_call();
  return __libc_calloc(count, size);
}
void* realloc(void* pointer, std::size_t size) noexcept {
  crossfix::test::note_call();
  return __libc_realloc(pointer, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  crossfix::test::note_call();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  crossfix::test::note_call();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** pointer, std::size_t alignment, std::size_t size) noexcept {
  crossfix::test::note_call();
  *pointer = __libc_memalign(alignment, size);
  return *pointer == nullptr ? ENOMEM : 0;
}
}
#endif
