#pragma once

#include <Eigen/Core>
#include <string>

#include "crossfix/core/tensor_view.hpp"

namespace crossfix {

/// A host matrix view [rows, columns] as an Eigen map, without a copy. Throws ShapeError if the
/// innermost axis has gaps. The map is read-only if the view is.
template <class T>
auto as_eigen(const TensorView<T, 2>& view) {
  using Value = std::remove_const_t<T>;
  using Matrix = Eigen::Matrix<Value, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Map = Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>,
                         Eigen::Unaligned, Eigen::OuterStride<>>;
  if (view.extent(1) > 1 && view.stride(1) != 1) {
    throw ShapeError("an Eigen map needs columns without gaps; this view's stride is " +
                     std::to_string(view.stride(1)));
  }
  return Map(view.data(), view.extent(0), view.extent(1), Eigen::OuterStride<>(view.stride(0)));
}

}  // namespace crossfix
