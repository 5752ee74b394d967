#include <algorithm>

#include "eigen_math.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {
namespace {

/// Number of channels whose sums are computed at a time: they stay in L1, on the stack, so that no
/// scratch memory is needed.
constexpr Index kChannels = 64;

}  // namespace

template <class Element>
EigenMath::DepthwiseConvolution<Element>::DepthwiseConvolution(
    const Target& target, const ops::DepthwiseConvolutionSpecification& specification,
    TensorView<const float, 3> weights, TensorView<const float, 1> bias,
    const Shape<4>& input_shape)
    : specification_(specification), input_shape_(input_shape), threads_(thread_count(target)) {
  check_depthwise(specification, weights, bias, input_shape);
  const Index kernel = specification.kernel;
  weights_ = Tensor<float, 3>({kernel, kernel, specification.channels});
  bias_ = Tensor<float, 1>({specification.channels});
  for (Index c = 0; c < specification.channels; ++c) {
    bias_(c) = bias(c);
    for (Index a = 0; a < kernel; ++a) {
      for (Index b = 0; b < kernel; ++b) {
        weights_(a, b, c) = static_cast<float>(Element(weights(c, a, b)));
      }
    }
  }
}

template <class Element>
void EigenMath::DepthwiseConvolution<Element>::operator()(Context& context,
                                                          TensorView<const Element, 4> x,
                                                          TensorView<Element, 4> y) const {
  check_depthwise_call(specification_, input_shape_, x, y);
  const Index channels = specification_.channels;
  const int workers = std::min(threads_, context.threads());
#pragma omp parallel for collapse(2) schedule(static) num_threads(workers)
  for (Index n = 0; n < y.extent(0); ++n) {
    for (Index i = 0; i < y.extent(1); ++i) {
      for (Index j = 0; j < y.extent(2); ++j) {
        Element* out = y.data() + y.offset(n, i, j, 0);
        for (Index first = 0; first < channels; first += kChannels) {
          pixel(x, {n, i, j}, first, std::min(kChannels, channels - first), out + first);
        }
      }
    }
  }
}

// The outer loops are over taps and the inner ones over channels, which the compiler vectorises.
template <class Element>
void EigenMath::DepthwiseConvolution<Element>::pixel(TensorView<const Element, 4> x,
                                                     const Shape<3>& at, Index first, Index count,
                                                     Element* y) const {
  const ops::DepthwiseConvolutionSpecification& spec = specification_;
  const ops::ActivationLimits limits = ops::limits_of(spec.activation);
  float sums[kChannels];
  std::copy_n(bias_.data() + first, count, sums);
  for (Index a = 0; a < spec.kernel; ++a) {
    const Index row = at[1] * spec.stride + a * spec.dilation - spec.padding;
    if (row < 0 || row >= x.extent(1)) continue;
    for (Index b = 0; b < spec.kernel; ++b) {
      const Index column = at[2] * spec.stride + b * spec.dilation - spec.padding;
      if (column < 0 || column >= x.extent(2)) continue;
      const Element* from = x.data() + x.offset(at[0], row, column, first);
      const float* weights = weights_.data() + (a * spec.kernel + b) * spec.channels + first;
      for (Index c = 0; c < count; ++c) sums[c] += static_cast<float>(from[c]) * weights[c];
    }
  }
  for (Index c = 0; c < count; ++c) y[c] = Element(limits(sums[c]));
}

template class EigenMath::DepthwiseConvolution<float>;
template class EigenMath::DepthwiseConvolution<bfloat16>;

}  // namespace crossfix::cpu
