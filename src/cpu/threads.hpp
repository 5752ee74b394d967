#pragma once

#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// The number of threads that a target stands for, at least 1. Throws DeviceError where negative.
int thread_count(const Target& target);

/// Sets how many threads OpenMP's parallel regions of the calling thread use, and puts the former
/// number back at the end of the scope: for libraries that plan and run by it.
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
