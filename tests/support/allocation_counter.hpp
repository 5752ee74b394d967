#pragma once

#include <cstddef>

/// Counts the calls of malloc and its kin that this process makes, by whose account they are on.
///
/// Linking allocation_counter.cpp puts its malloc, calloc, realloc, free, posix_memalign,
/// aligned_alloc and memalign before the C library's; operator new goes through them. A call is on
/// a library's account where a frame of that library (oneDNN, the OpenMP run-time) lies between the
/// allocation and the code of the program.
namespace crossfix::test {

struct AllocationCounts {
  std::size_t own = 0;      ///< calls on the program's own account
  std::size_t library = 0;  ///< calls on the account of oneDNN or the OpenMP run-time
};

/// Counts allocations of every thread from its construction on. One at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  AllocationCounts counts() const;
};

/// False where the counting functions are not in force: under a sanitizer, which brings its own
/// allocator, and where the C library is not glibc.
bool allocations_are_counted();

}  // namespace crossfix::test
