#pragma once

#include <cstddef>

/// Counts the calls of malloc and its relatives in this process, separately for the program and the
/// libraries.
///
/// Linking allocation_counter.cpp puts its malloc, calloc, realloc, free, posix_memalign,
/// aligned_alloc and memalign before those of the C library; operator new goes through them. A call
/// counts for a library (oneDNN, the OpenMP run-time) if a frame of that library lies between the
/// allocation and the code of the program.
namespace crossfix::test {

struct AllocationCounts {
  std::size_t own = 0;      ///< calls by the program itself
  std::size_t library = 0;  ///< calls by oneDNN or the OpenMP run-time
};

/// Counts allocations of all threads from its construction on. Only one at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  AllocationCounts counts() const;
};

/// False if the counting functions are not in use: under a sanitizer, which brings its own
/// allocator, and if the C library is not glibc.
bool allocations_are_counted();

}  // namespace crossfix::test
