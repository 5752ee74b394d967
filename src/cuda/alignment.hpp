#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "crossfix/core/tensor_view.hpp"

namespace crossfix::cuda {

/// Throws ShapeError unless a view and each of its rows begin at a multiple of `bytes`.
template <class T, std::size_t Rank>
void expect_aligned(const char* what, const TensorView<T, Rank, DeviceSpace>& view,
                    std::size_t bytes) {
  bool aligned = reinterpret_cast<std::uintptr_t>(view.data()) % bytes == 0;
  if constexpr (Rank == 2) {
    if (view.extent(0) > 1) {
      aligned = aligned && static_cast<std::size_t>(view.stride(0)) * sizeof(T) % bytes == 0;
    }
  }
  if (!aligned) {
    throw ShapeError(std::string(what) + " of shape " + to_string(view.shape()) + " and strides " +
                     to_string(view.strides()) +
                     " must begin, and so must its rows, at multiples "
                     "of " +
                     std::to_string(bytes) + " bytes");
  }
}

}  // namespace crossfix::cuda
