#pragma once

#include <cstdint>
#include <string>

#include "crossfix/core/tensor_view.hpp"

/// What kernels ask of the views they are called with.
namespace crossfix::device {

/// Throws ShapeError unless the view is row-major without gaps.
template <class T, std::size_t Rank>
void expect_contiguous(const char* what, const TensorView<T, Rank, DeviceSpace>& view) {
  if (!view.is_contiguous()) {
    throw ShapeError(std::string(what) + " of shape " + to_string(view.shape()) +
                     " must be contiguous; its strides are " + to_string(view.strides()));
  }
}

/// Throws ShapeError unless the elements along the last axis are neighbours.
template <class T, std::size_t Rank>
void expect_contiguous_rows(const char* what, const TensorView<T, Rank, DeviceSpace>& view) {
  if (view.extent(Rank - 1) > 1 && view.stride(Rank - 1) != 1) {
    throw ShapeError(std::string(what) + " of shape " + to_string(view.shape()) +
                     " must be contiguous along its last axis; its strides are " +
                     to_string(view.strides()));
  }
}

inline bool aligned(const void* address, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

/// True where every row of the view begins at a multiple of `bytes`.
template <class T>
bool rows_aligned(const TensorView<T, 2, DeviceSpace>& view, std::size_t bytes) {
  const auto step = static_cast<std::uintptr_t>(view.stride(0)) * sizeof(T);
  return aligned(view.data(), bytes) && (view.extent(0) <= 1 || step % bytes == 0);
}

/// The fewest parts of `size` that hold `count`.
template <class T>
constexpr T parts_of(T count, T size) {
  return (count + size - 1) / size;
}

}  // namespace crossfix::device
