#pragma once

#include <cstddef>
#include <cstdint>

#include "crossfix/core/checks.hpp"
#include "crossfix/core/tensor_view.hpp"

/// Requirements of kernels on the views that they are called with.
namespace crossfix::device {

inline bool aligned(const void* address, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

/// True if every row of the view begins at a multiple of `bytes`.
template <class T>
bool rows_aligned(const TensorView<T, 2, DeviceSpace>& view, std::size_t bytes) {
  const auto step = static_cast<std::uintptr_t>(view.stride(0)) * sizeof(T);
  return aligned(view.data(), bytes) && (view.extent(0) <= 1 || step % bytes == 0);
}

}  // namespace crossfix::device
