#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>

#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix {

/// A non-owning, strided view of a tensor: a pointer, and two machine words for each axis.
///
/// The element type (const for a read-only view), the rank and the memory space are part of the
/// type, so that a host view in place of a device view does not compile. Strides are in elements
/// and may have any value, also on the innermost axis. Copying a view copies no data. Element
/// access is checked unless NDEBUG is defined.
template <class T, std::size_t Rank, MemorySpace Space = HostSpace>
class TensorView {
 public:
  using element_type = T;
  using value_type = std::remove_const_t<T>;
  using space = Space;
  static constexpr std::size_t kRank = Rank;

  /// An empty view: null, with every extent 0.
  constexpr TensorView() = default;

  /// A row-major view without gaps. Throws ShapeError for a negative extent.
  constexpr TensorView(T* data, const Shape<Rank>& shape)
      : TensorView(data, shape, contiguous_strides(shape)) {}

  /// A view with the given strides, in elements. Throws ShapeError for a negative extent.
  constexpr TensorView(T* data, const Shape<Rank>& shape, const Shape<Rank>& strides)
      : data_(data), shape_(shape), strides_(strides) {
    for (const Index extent : shape) {
      if (extent < 0) throw ShapeError("a view of shape " + to_string(shape));
    }
  }

  /// From a mutable view to a read-only one.
  template <class U>
  // NOLINTNEXTLINE(*-explicit-*)
  requires(std::same_as<const U, T>) constexpr TensorView(const TensorView<U, Rank, Space>& other)
      : data_(other.data()), shape_(other.shape()), strides_(other.strides()) {}

  CROSSFIX_HOST_DEVICE constexpr T* data() const { return data_; }
  CROSSFIX_HOST_DEVICE constexpr const Shape<Rank>& shape() const { return shape_; }
  CROSSFIX_HOST_DEVICE constexpr const Shape<Rank>& strides() const { return strides_; }
  CROSSFIX_HOST_DEVICE constexpr Index extent(std::size_t axis) const { return shape_[axis]; }
  CROSSFIX_HOST_DEVICE constexpr Index stride(std::size_t axis) const { return strides_[axis]; }
  constexpr Index size() const { return element_count(shape_); }
  constexpr bool empty() const { return size() == 0; }

  /// True if the elements are row-major without gaps (axes of extent 1 may have any stride).
  constexpr bool is_contiguous() const {
    Index expected = 1;
    for (std::size_t d = Rank; d-- > 0;) {
      if (shape_[d] != 1 && strides_[d] != expected) return false;
      expected *= shape_[d];
    }
    return true;
  }

  /// Offset, in elements, of the element at `index` from the start of the view.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) CROSSFIX_HOST_DEVICE constexpr Index offset(I... index) const {
    const Index at[Rank] = {static_cast<Index>(index)...};
    Index sum = 0;
    for (std::size_t d = 0; d < Rank; ++d) sum += at[d] * strides_[d];
    return sum;
  }

  /// The element at (index...). Host memory only. In debug builds an index out of range throws
  /// ShapeError.
  template <std::integral... I>
  requires(sizeof...(I) == Rank && Space::kHostAccessible) constexpr T& operator()(
      I... index) const {
#ifndef NDEBUG
    check_index({static_cast<Index>(index)...});
#endif
    return data_[offset(index...)];
  }

  /// The part `[begin, end)` along `axis`; other axes are unchanged. Throws ShapeError.
  constexpr TensorView<T, Rank, Space> slice(std::size_t axis, Index begin, Index end) const {
    if (axis >= Rank || begin < 0 || end < begin || end > shape_[axis]) {
      throw ShapeError("slice [" + std::to_string(begin) + ", " + std::to_string(end) +
                       ") of axis " + std::to_string(axis) + " of a tensor of shape " +
                       to_string(shape_));
    }
    Shape<Rank> shape = shape_;
    shape[axis] = end - begin;
    return {data_ + begin * strides_[axis], shape, strides_};
  }

  /// The subview at `index` along the outermost axis, with one axis less. Throws ShapeError.
  constexpr TensorView<T, Rank - 1, Space> operator[](Index index) const requires(Rank > 1) {
    if (index < 0 || index >= shape_[0]) {
      throw ShapeError("index " + std::to_string(index) + " of axis 0 of a tensor of shape " +
                       to_string(shape_));
    }
    Shape<Rank - 1> shape{};
    Shape<Rank - 1> strides{};
    for (std::size_t d = 1; d < Rank; ++d) {
      shape[d - 1] = shape_[d];
      strides[d - 1] = strides_[d];
    }
    return {data_ + index * strides_[0], shape, strides};
  }

  /// The same elements with another shape of equal size. Throws ShapeError if the view has gaps or
  /// the sizes differ.
  template <std::size_t NewRank>
  constexpr TensorView<T, NewRank, Space> reshape(const Shape<NewRank>& shape) const {
    if (!is_contiguous() || element_count(shape) != size()) {
      throw ShapeError("a tensor of shape " + to_string(shape_) +
                       (is_contiguous() ? "" : " with gaps") + " cannot be seen as " +
                       to_string(shape));
    }
    return {data_, shape};
  }

 private:
  constexpr void check_index(const Shape<Rank>& index) const {
    for (std::size_t d = 0; d < Rank; ++d) {
      if (index[d] < 0 || index[d] >= shape_[d]) {
        throw ShapeError("index " + to_string(index) + " out of range of a tensor of shape " +
                         to_string(shape_));
      }
    }
  }

  T* data_ = nullptr;
  Shape<Rank> shape_{};
  Shape<Rank> strides_{};
};

}  // namespace crossfix
