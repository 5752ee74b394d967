#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cuda {

/// y[row, out] = x[row, in] W[out, in]^T + bias[out] with W, sums and y in float, for at most
/// `kProjectionOutputs` outputs (contract: ops/backend.hpp; kernel: cuda/elementwise.hpp).
template <class Element>
class Projection {
 public:
  /// Copies the weights to the device and waits for the copy. Throws ShapeError if shapes do not
  /// match, DeviceError if memory is short.
  Projection(const Target& target, TensorView<const float, 2> weights,
             TensorView<const float, 1> bias);

  void operator()(Context& context, TensorView<const Element, 2, DeviceSpace> x,
                  TensorView<float, 2, DeviceSpace> y) const;

 private:
  Shape<2> shape_;
  DeviceBuffer weights_;
  DeviceBuffer bias_;
};

/// Residual and LayerNorm over rows of float (contract: ops/backend.hpp; kernel:
/// cuda/layer_norm.hpp).
template <class Element>
class LayerNorm {
 public:
  /// Copies scale and shift to the device and waits for the copy. Throws ShapeError if they differ
  /// in length or are empty, DeviceError if memory is short.
  LayerNorm(const Target& target, TensorView<const float, 1> scale,
            TensorView<const float, 1> shift, float epsilon);

  void operator()(Context& context, TensorView<const float, 2, DeviceSpace> x,
                  TensorView<float, 2, DeviceSpace> y, TensorView<Element, 2, DeviceSpace> z) const;
  void operator()(Context& context, TensorView<const float, 2, DeviceSpace> x,
                  TensorView<const float, 2, DeviceSpace> r, TensorView<float, 2, DeviceSpace> y,
                  TensorView<Element, 2, DeviceSpace> z) const;

 private:
  TensorView<const float, 1, DeviceSpace> scale() const;
  TensorView<const float, 1, DeviceSpace> shift() const;

  Index channels_;
  float epsilon_;
  DeviceBuffer scale_;
  DeviceBuffer shift_;
};

/// Descriptors of blocks of positions (contract: ops/backend.hpp; kernel: cuda/descriptor.hpp).
template <class Element>
class SpatialAttention {
 public:
  /// Copies weights and bias to the device and waits for the copy. Throws ShapeError if shapes do
  /// not match, DeviceError if memory is short.
  SpatialAttention(const Target& target, const ops::SpatialAttentionSpecification& specification,
                   TensorView<const float, 3> weights, TensorView<const float, 2> bias);

  void operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                  TensorView<float, 2, DeviceSpace> y) const;
  std::size_t scratch_bytes() const { return 0; }

 private:
  ops::SpatialAttentionSpecification specification_;
  DeviceBuffer weights_;
  DeviceBuffer bias_;
};

extern template class SpatialAttention<float>;
extern template class SpatialAttention<bfloat16>;
extern template class SpatialAttention<float16>;
extern template class Projection<float>;
extern template class Projection<bfloat16>;
extern template class Projection<float16>;
extern template class LayerNorm<float>;
extern template class LayerNorm<bfloat16>;
extern template class LayerNorm<float16>;

}  // namespace crossfix::cuda
