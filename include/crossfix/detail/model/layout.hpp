#pragma once

#include <algorithm>
#include <cstddef>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix::model {

/// Puts buffers one after the other in memory from `base` on, each 64-byte aligned. Without a
/// base it only counts their bytes.
class Layout {
 public:
  explicit Layout(std::byte* base) : base_(base) {}

  template <class T>
  void take(T*& pointer, Index count) {
    constexpr std::size_t kLine = 64;
    const std::size_t at = round_up_to(used_, kLine);
    pointer = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + at);
    used_ = at + static_cast<std::size_t>(count) * sizeof(T);
    bytes_ = std::max(bytes_, used_);
  }

  /// Bytes in use so far. `rewind` to this value lets later buffers share the memory of earlier
  /// ones.
  std::size_t used() const { return used_; }
  void rewind(std::size_t used) { used_ = used; }

  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace crossfix::model
