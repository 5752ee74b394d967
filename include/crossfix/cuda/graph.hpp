#pragma once

#include <functional>
#include <utility>

#include "crossfix/cuda/target.hpp"

struct CUgraphExec_st;  // what cudaGraphExec_t points to

namespace crossfix::cuda {

/// Work that is recorded once and launched as a unit: a CUDA graph.
class Graph {
 public:
  Graph() = default;

  /// Records what `work` enqueues on the target's stream; nothing runs. `work` must neither wait
  /// nor allocate. If it throws, the exception is passed on and the stream stays usable. Throws
  /// DeviceError.
  Graph(const Target& target, const std::function<void()>& work);
  Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }
  ~Graph();

  /// Enqueues the recorded work on the target's stream, after earlier work. Does not synchronise.
  /// Throws DeviceError.
  void launch(const Target& target) const;

 private:
  CUgraphExec_st* executable_ = nullptr;
};

}  // namespace crossfix::cuda
