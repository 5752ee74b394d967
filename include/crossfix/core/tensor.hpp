#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "crossfix/core/tensor_view.hpp"

namespace crossfix {

/// Alignment of host tensors, bytes: one cache line, and the widest vector register.
inline constexpr std::size_t kHostAlignment = 64;

/// An owning, row-major host tensor without gaps, 64-byte aligned, zeroed at construction. It is
/// move-only; `clone` makes an explicit copy.
template <class T, std::size_t Rank>
class Tensor {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using element_type = T;
  static constexpr std::size_t kRank = Rank;

  Tensor() = default;

  /// Throws ShapeError for a negative extent, std::bad_alloc if memory is short.
  explicit Tensor(const Shape<Rank>& shape) : shape_(shape) {
    for (Index extent : shape) {
      if (extent < 0) throw ShapeError("a tensor of shape " + to_string(shape));
    }
    const auto count = static_cast<std::size_t>(element_count(shape));
    if (count == 0) return;
    auto* raw = ::operator new (count * sizeof(T), std::align_val_t{kHostAlignment});
    data_.reset(new (raw) T[count]());
  }

  Tensor(Tensor&& other) noexcept : data_(std::move(other.data_)), shape_(other.shape_) {
    other.shape_ = {};
  }
  Tensor& operator=(Tensor&& other) noexcept {
    data_ = std::move(other.data_);
    shape_ = other.shape_;
    other.shape_ = {};
    return *this;
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() = default;

  TensorView<T, Rank> view() { return {data_.get(), shape_}; }
  TensorView<const T, Rank> view() const { return {data_.get(), shape_}; }
  operator TensorView<T, Rank>() { return view(); }              // NOLINT(*-explicit-*)
  operator TensorView<const T, Rank>() const { return view(); }  // NOLINT(*-explicit-*)
  // NOLINTNEXTLINE(*-explicit-*)
  operator TensorView<const T, Rank>() { return std::as_const(*this).view(); }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  const Shape<Rank>& shape() const { return shape_; }
  Index extent(std::size_t axis) const { return shape_[axis]; }
  Index size() const { return data_ ? element_count(shape_) : 0; }

  template <std::integral... I>
  T& operator()(I... index) {
    return view()(index...);
  }
  template <std::integral... I>
  const T& operator()(I... index) const {
    return view()(index...);
  }

  /// A deep copy.
  Tensor clone() const {
    Tensor copy(shape_);
    for (Index i = 0; i < size(); ++i) copy.data()[i] = data()[i];
    return copy;
  }

 private:
  struct Free {
    void operator()(T* pointer) const {
      ::operator delete (static_cast<void*>(pointer), std::align_val_t{kHostAlignment});
    }
  };
  std::unique_ptr<T[], Free> data_;
  Shape<Rank> shape_{};
};

}  // namespace crossfix
