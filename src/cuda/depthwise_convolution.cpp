#include "crossfix/cuda/depthwise_convolution.hpp"

#include <vector>

#include "crossfix/cuda/depthwise.hpp"
#include "crossfix/ops/checks.hpp"
#include "upload_as.hpp"

namespace crossfix::cuda {

template <class Element>
DepthwiseConvolution<Element>::DepthwiseConvolution(
    const Target& target, const ops::DepthwiseConvolutionSpecification& specification,
    TensorView<const float, 3> weights, TensorView<const float, 1> bias,
    const Shape<4>& input_shape)
    : specification_(specification), input_shape_(input_shape) {
  ops::check_depthwise(specification, weights, bias, input_shape);
  std::vector<float> channels_last;
  channels_last.reserve(static_cast<std::size_t>(weights.size()));
  for (Index a = 0; a < specification.kernel; ++a) {
    for (Index b = 0; b < specification.kernel; ++b) {
      for (Index c = 0; c < specification.channels; ++c) channels_last.push_back(weights(c, a, b));
    }
  }
  weights_ = upload_as<Element>(target, channels_last.data(), weights.size());
  bias_ = upload_as<float>(target, bias.data(), bias.size());
}

template <class Element>
void DepthwiseConvolution<Element>::operator()(Context& context,
                                               TensorView<const Element, 4, DeviceSpace> x,
                                               TensorView<Element, 4, DeviceSpace> y) const {
  ops::check_depthwise_call(specification_, input_shape_, x, y);
  const DeviceScope scope(context.device());
  const Index kernel = specification_.kernel;
  const Index channels = specification_.channels;
  const TensorView<const Element, 3, DeviceSpace> weights(
      reinterpret_cast<const Element*>(weights_.data()), {kernel, kernel, channels});
  const TensorView<const float, 1, DeviceSpace> bias(reinterpret_cast<const float*>(bias_.data()),
                                                     {channels});
  depthwise_convolution<Element>(context.stream(), context.traits(), specification_, x, weights,
                                 bias, y);
}

template class DepthwiseConvolution<float>;
template class DepthwiseConvolution<bfloat16>;
template class DepthwiseConvolution<float16>;

}  // namespace crossfix::cuda
