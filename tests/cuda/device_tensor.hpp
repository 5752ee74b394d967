#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/cuda/read.hpp"

namespace crossfix::test {

/// A tensor in device memory, without gaps.
template <class T, std::size_t Rank>
class DeviceTensor {
 public:
  /// A copy of a host tensor, each value as `T`.
  DeviceTensor(const cuda::Target& target, const Tensor<float, Rank>& values)
      : shape_(values.shape()) {
    std::vector<T> converted;
    for (Index i = 0; i < values.size(); ++i) converted.push_back(T(values.data()[i]));
    buffer_ = cuda::upload(target, converted.data(), converted.size() * sizeof(T));
  }

  /// Not initialised.
  DeviceTensor(const cuda::Target& target, const Shape<Rank>& shape)
      : shape_(shape),
        buffer_(target, static_cast<std::size_t>(element_count(shape)) * sizeof(T)) {}

  TensorView<T, Rank, DeviceSpace> view() const {
    return {reinterpret_cast<T*>(buffer_.data()), shape_};
  }
  TensorView<const T, Rank, DeviceSpace> const_view() const { return view(); }

  /// The values in host memory, as floats. Waits for the context's stream.
  Tensor<float, Rank> read(cuda::Context& context) const {
    Tensor<float, Rank> out(shape_);
    cuda::read<T>(context, view().template reshape<2>({Index{1}, element_count(shape_)}),
                  out.data());
    return out;
  }

 private:
  Shape<Rank> shape_;
  cuda::DeviceBuffer buffer_;
};

}  // namespace crossfix::test
