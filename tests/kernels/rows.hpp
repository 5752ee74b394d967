#pragma once

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "kernels/machine.hpp"

namespace crossfix::test {

/// Rows [rows, columns] in memory that has marks before, between and after them. The first row
/// begins `start` elements after a 16-byte boundary. Rows are filled on the host, copied to the
/// machine by the first `device()`, and copied back by `fetch()`.
template <class T>
class Rows {
 public:
  Rows(Index rows, Index columns, Index stride, Index start)
      : memory_({kGuard + start + rows * stride + kGuard}),
        first_(kGuard + start),
        shape_{rows, columns},
        strides_{stride, 1} {
    std::memset(static_cast<void*>(memory_.data()), kMark, bytes());
  }

  const Shape<2>& shape() const { return shape_; }
  T& operator()(Index row, Index column) { return memory_(at(row, column)); }
  const T& operator()(Index row, Index column) const { return memory_(at(row, column)); }

  TensorView<T, 2, DeviceSpace> device() {
    if (!placed_) placed_.emplace(memory_);
    return {placed_->data() + first_, shape_, strides_};
  }
  TensorView<const T, 2, DeviceSpace> const_device() { return device(); }
  /// The only row, or the rows, as one axis.
  TensorView<const T, 1, DeviceSpace> const_vector() { return device()[0]; }

  void fetch() { placed_->read(memory_); }

  /// True if nothing but the rows was written.
  bool marks_hold() const {
    std::vector<bool> inside(static_cast<std::size_t>(memory_.size()));
    for (Index row = 0; row < shape_[0]; ++row) {
      for (Index column = 0; column < shape_[1]; ++column) {
        inside[static_cast<std::size_t>(at(row, column))] = true;
      }
    }
    unsigned char mark[sizeof(T)];
    std::memset(mark, kMark, sizeof(T));
    for (Index i = 0; i < memory_.size(); ++i) {
      if (!inside[static_cast<std::size_t>(i)] &&
          std::memcmp(memory_.data() + i, mark, sizeof(T)) != 0) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr Index kGuard = 64;
  static constexpr int kMark = 0x5a;

  Index at(Index row, Index column) const { return first_ + row * strides_[0] + column; }
  std::size_t bytes() const { return static_cast<std::size_t>(memory_.size()) * sizeof(T); }

  Tensor<T, 1> memory_;
  Index first_;
  Shape<2> shape_;
  Shape<2> strides_;
  std::optional<Machine::Memory<T>> placed_;
};

/// Fills rows with `value(row, column)`, rounded to their elements.
template <class T, class Value>
void fill(Rows<T>& rows, const Value& value) {
  for (Index i = 0; i < rows.shape()[0]; ++i) {
    for (Index j = 0; j < rows.shape()[1]; ++j) rows(i, j) = T(value(i, j));
  }
}

/// The largest error of rounding a value to an Element, as a share of the value.
template <class Element>
inline constexpr double kRounding = 0.0;
template <>
inline constexpr double kRounding<bfloat16> = 0x1p-8;
template <>
inline constexpr double kRounding<float16> = 0x1p-11;

/// Half the distance of the smallest Elements: the rounding error of a value near zero.
template <class Element>
inline constexpr double kSmallest = 0x1p-126;
template <>
inline constexpr double kSmallest<float16> = 0x1p-25;

/// |result - expected| as a share of the tolerance; NaN if either is NaN.
template <class Element>
double error_share(Element result, double expected, double tolerance) {
  return std::abs(static_cast<double>(static_cast<float>(result)) - expected) / tolerance;
}

/// The larger of two; NaN if either is NaN.
inline double worse(double a, double b) { return b <= a ? a : std::isnan(a) ? a : b; }

}  // namespace crossfix::test
