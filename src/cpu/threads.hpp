#pragma once

#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// The number of threads of a target, at least 1. Throws DeviceError if it is negative.
int thread_count(const Target& target);

/// Sets the number of threads of OpenMP's parallel regions in the calling thread, and restores the
/// previous number at the end of the scope. Needed by libraries that plan and run with this number.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int former_;
};

}  // namespace crossfix::cpu
