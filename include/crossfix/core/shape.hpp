#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "crossfix/core/error.hpp"

namespace crossfix {

/// Sizes and positions along an axis, in elements. Signed, so that differences are safe.
using Index = std::ptrdiff_t;

/// Extents of a tensor, outermost axis first.
template <std::size_t Rank>
using Shape = std::array<Index, Rank>;

/// Number of elements of a shape.
template <std::size_t Rank>
constexpr Index element_count(const Shape<Rank>& shape) {
  Index count = 1;
  for (Index extent : shape) count *= extent;
  return count;
}

/// Strides, in elements, of a row-major tensor without gaps.
template <std::size_t Rank>
constexpr Shape<Rank> contiguous_strides(const Shape<Rank>& shape) {
  Shape<Rank> strides{};
  Index stride = 1;
  for (std::size_t d = Rank; d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

/// "[2, 3, 4]", for messages.
inline std::string to_string(std::span<const Index> shape) {
  std::string text = "[";
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d != 0) text += ", ";
    text += std::to_string(shape[d]);
  }
  return text + "]";
}

/// Throws ShapeError "WHAT has shape A, expected B" unless the shapes are equal.
template <std::size_t Rank>
void expect_shape(const char* what, const Shape<Rank>& shape, const Shape<Rank>& expected) {
  if (shape != expected) {
    throw ShapeError(std::string(what) + " has shape " + to_string(shape) + ", expected " +
                     to_string(expected));
  }
}

}  // namespace crossfix
