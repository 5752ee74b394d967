#pragma once

#include <cstddef>
#include <string>

#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor_view.hpp"

/// Checks of the strides of a view, for operators and kernels. (For its shape: expect_shape.)
namespace crossfix {

/// Throws ShapeError "WHAT of shape ... must be contiguous ..." unless the view is row-major
/// without gaps.
template <class T, std::size_t Rank, MemorySpace Space>
void expect_contiguous(const char* what, const TensorView<T, Rank, Space>& view) {
  if (!view.is_contiguous()) {
    throw ShapeError(std::string(what) + " of shape " + to_string(view.shape()) +
                     " must be contiguous; the strides are " + to_string(view.strides()));
  }
}

/// Throws ShapeError unless the elements along the last axis are adjacent in memory.
template <class T, std::size_t Rank, MemorySpace Space>
void expect_contiguous_rows(const char* what, const TensorView<T, Rank, Space>& view) {
  if (view.extent(Rank - 1) > 1 && view.stride(Rank - 1) != 1) {
    throw ShapeError(std::string(what) + " of shape " + to_string(view.shape()) +
                     " must have elements that are contiguous along their last axis; the strides "
                     "are " +
                     to_string(view.strides()));
  }
}

}  // namespace crossfix
