#include "crossfix/cuda/token_operators.hpp"

#include "crossfix/cuda/descriptor.hpp"
#include "crossfix/cuda/elementwise.hpp"
#include "crossfix/cuda/layer_norm.hpp"
#include "crossfix/ops/checks.hpp"

namespace crossfix::cuda {
namespace {

/// Copies the values of a contiguous host view to the device.
template <std::size_t Rank>
DeviceBuffer upload_view(const Target& target, const char* what,
                         const TensorView<const float, Rank>& view) {
  expect_contiguous(what, view);
  return upload(target, view.data(), static_cast<std::size_t>(view.size()) * sizeof(float));
}

template <std::size_t Rank>
TensorView<const float, Rank, DeviceSpace> floats(const DeviceBuffer& buffer,
                                                  const Shape<Rank>& shape) {
  return {reinterpret_cast<const float*>(buffer.data()), shape};
}

}  // namespace

template <class Element>
Projection<Element>::Projection(const Target& target, TensorView<const float, 2> weights,
                                TensorView<const float, 1> bias)
    : shape_(weights.shape()) {
  expect_shape("projection bias", bias.shape(), {weights.extent(0)});
  if (weights.extent(0) < 1 || weights.extent(0) > kProjectionOutputs || weights.extent(1) < 1) {
    throw ShapeError("a projection's weights have shape " + to_string(weights.shape()) +
                     ", expected [1 to " + std::to_string(kProjectionOutputs) +
                     ", at least 1 input]");
  }
  weights_ = upload_view(target, "projection weights", weights);
  bias_ = upload_view(target, "projection bias", bias);
}

template <class Element>
void Projection<Element>::operator()(Context& context, TensorView<const Element, 2, DeviceSpace> x,
                                     TensorView<float, 2, DeviceSpace> y) const {
  const DeviceScope scope(context.device());
  projection<Element>(context.stream(), context.traits(), x, floats(weights_, shape_),
                      floats(bias_, Shape<1>{shape_[0]}), y);
}

template <class Element>
LayerNorm<Element>::LayerNorm(const Target& target, TensorView<const float, 1> scale,
                              TensorView<const float, 1> shift, float epsilon)
    : channels_(scale.extent(0)), epsilon_(epsilon) {
  expect_shape("layer norm shift", shift.shape(), scale.shape());
  if (channels_ < 1) throw ShapeError("a layer norm over no channels");
  scale_ = upload_view(target, "layer norm scale", scale);
  shift_ = upload_view(target, "layer norm shift", shift);
}

template <class Element>
TensorView<const float, 1, DeviceSpace> LayerNorm<Element>::scale() const {
  return floats(scale_, Shape<1>{channels_});
}
template <class Element>
TensorView<const float, 1, DeviceSpace> LayerNorm<Element>::shift() const {
  return floats(shift_, Shape<1>{channels_});
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const float, 2, DeviceSpace> x,
                                    TensorView<float, 2, DeviceSpace> y,
                                    TensorView<Element, 2, DeviceSpace> z) const {
  const DeviceScope scope(context.device());
  layer_norm<Element>(context.stream(), context.traits(), x, this->scale(), shift(), epsilon_, y,
                      z);
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const float, 2, DeviceSpace> x,
                                    TensorView<const float, 2, DeviceSpace> r,
                                    TensorView<float, 2, DeviceSpace> y,
                                    TensorView<Element, 2, DeviceSpace> z) const {
  const DeviceScope scope(context.device());
  layer_norm<Element>(context.stream(), context.traits(), x, r, this->scale(), shift(), epsilon_, y,
                      z);
}

template <class Element>
SpatialAttention<Element>::SpatialAttention(const Target& target,
                                            const ops::SpatialAttentionSpecification& specification,
                                            TensorView<const float, 3> weights,
                                            TensorView<const float, 2> bias)
    : specification_(specification) {
  ops::check_spatial_attention(specification, weights, bias);
  weights_ = upload_view(target, "spatial attention weights", weights);
  bias_ = upload_view(target, "spatial attention bias", bias);
}

template <class Element>
void SpatialAttention<Element>::operator()(Context& context,
                                           TensorView<const Element, 4, DeviceSpace> x,
                                           TensorView<float, 2, DeviceSpace> y) const {
  const DeviceScope scope(context.device());
  const Index positions = specification_.positions();
  spatial_attention<Element>(context.stream(), context.traits(), specification_, x,
                             floats(weights_, Shape<3>{specification_.heads, positions, positions}),
                             floats(bias_, Shape<2>{specification_.heads, positions}), y);
}

template class SpatialAttention<float>;
template class SpatialAttention<bfloat16>;
template class SpatialAttention<float16>;
template class Projection<float>;
template class Projection<bfloat16>;
template class Projection<float16>;
template class LayerNorm<float>;
template class LayerNorm<bfloat16>;
template class LayerNorm<float16>;

}  // namespace crossfix::cuda
