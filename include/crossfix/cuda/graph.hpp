#pragma once

#include <functional>
#include <utility>

#include "crossfix/cuda/target.hpp"

struct CUgraphExec_st;  // what cudaGraphExec_t points to

namespace crossfix::cuda {

/// Work recorded once and launched as one.
class Graph {
 public:
  Graph() = default;

  /// Records what `work` hands to the target's stream; nothing runs. `work` must neither wait nor
  /// allocate. What it throws is passed on, and the stream usable. Throws DeviceError.
  Graph(const Target& target, const std::function<void()>& work);
  Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }
  ~Graph();

  /// Runs the recorded work on the target's stream, after what was handed to it before. Does not
  /// wait. Throws DeviceError.
  void launch(const Target& target) const;

 private:
  CUgraphExec_st* executable_ = nullptr;
};

}  // namespace crossfix::cuda
