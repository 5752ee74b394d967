#pragma once

#include <cstring>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

/// What tests of kernels under the emulator share. Its device memory is the process's own.
namespace crossfix::test {

/// A stream of the emulator, which runs a kernel where it is launched.
inline cuda::StreamView emulated_stream() { return cuda::StreamView(nullptr); }

inline constexpr cuda::DeviceTraits kEmulatedDevice{
    .compute_capability = 90, .multiprocessors = 2, .shared_bytes_per_block = 227 * 1024};

/// Host memory as kernels are given memory of the device.
template <class T, std::size_t Rank>
TensorView<T, Rank, DeviceSpace> on_device(const TensorView<T, Rank>& view) {
  return {view.data(), view.shape(), view.strides()};
}
template <class T, std::size_t Rank>
TensorView<const T, Rank, DeviceSpace> const_on_device(const TensorView<T, Rank>& view) {
  return {view.data(), view.shape(), view.strides()};
}

/// Rows [rows, columns] in memory that is marked before, between and after them. The first begins
/// `start` elements after a 64-byte boundary.
template <class T>
class Rows {
 public:
  Rows(Index rows, Index columns, Index stride, Index start)
      : memory_({kGuard + start + rows * stride + kGuard}),
        view_(memory_.data() + kGuard + start, {rows, columns}, {stride, 1}) {
    std::memset(static_cast<void*>(memory_.data()), kMark,
                static_cast<std::size_t>(memory_.size()) * sizeof(T));
  }

  const TensorView<T, 2>& view() const { return view_; }
  TensorView<T, 2, DeviceSpace> device() const { return on_device(view_); }
  TensorView<const T, 2, DeviceSpace> const_device() const { return const_on_device(view_); }
  T& operator()(Index row, Index column) const { return view_(row, column); }

  /// True where nothing but the rows was written.
  bool marks_hold() const {
    std::vector<bool> inside(static_cast<std::size_t>(memory_.size()));
    for (Index row = 0; row < view_.extent(0); ++row) {
      for (Index column = 0; column < view_.extent(1); ++column) {
        inside[static_cast<std::size_t>(&view_(row, column) - memory_.data())] = true;
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
  Tensor<T, 1> memory_;
  TensorView<T, 2> view_;
};

/// Half a unit in the last place of an Element, relative to its value: what rounding to it costs.
template <class Element>
inline constexpr double kRounding = 0.0;
template <>
inline constexpr double kRounding<bfloat16> = 0x1p-8;
template <>
inline constexpr double kRounding<float16> = 0x1p-11;

/// Half the distance of the smallest Elements: what rounding costs a value near zero.
template <class Element>
inline constexpr double kSmallest = 0x1p-126;
template <>
inline constexpr double kSmallest<float16> = 0x1p-25;

}  // namespace crossfix::test
