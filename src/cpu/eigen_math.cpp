#include "eigen_math.hpp"

#include "eigen_product.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {
namespace {

/// A weight rounded to `Element`.
template <class Element>
float rounded(float value) {
  return static_cast<float>(Element(value));
}

}  // namespace

template <class Element>
EigenMath::Convolution<Element>::Convolution(const Target& target,
                                             const ops::ConvolutionSpecification& specification,
                                             TensorView<const float, 4> weights,
                                             TensorView<const float, 1> bias,
                                             const Shape<4>& input_shape)
    : specification_(specification), input_shape_(input_shape), threads_(thread_count(target)) {
  check_convolution(specification, weights, bias, input_shape);
  const Index kernel = specification.kernel;
  weights_ =
      Tensor<float, 2>({specification.out_channels, kernel * kernel * specification.in_channels});
  bias_ = Tensor<float, 1>({specification.out_channels});
  for (Index o = 0; o < specification.out_channels; ++o) {
    bias_(o) = bias(o);
    for (Index c = 0; c < specification.in_channels; ++c) {
      for (Index tap = 0; tap < kernel * kernel; ++tap) {
        weights_(o, tap * specification.in_channels + c) =
            rounded<Element>(weights(o, c, tap / kernel, tap % kernel));
      }
    }
  }
}

template <class Element>
void EigenMath::Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                                 TensorView<Element, 4> y) const {
  check_convolution_call(specification_, input_shape_, x, y, false);
  run(context, x, nullptr, y);
}

template <class Element>
void EigenMath::Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                                 TensorView<const Element, 4> r,
                                                 TensorView<Element, 4> y) const {
  check_convolution_call(specification_, input_shape_, x, y, true);
  expect_shape("convolution residual", r.shape(), y.shape());
  expect_contiguous("convolution residual", r);
  run(context, x, r.data(), y);
}

template <class Element>
void EigenMath::Convolution<Element>::run(Context& context, TensorView<const Element, 4> x,
                                          const Element* r, TensorView<Element, 4> y) const {
  const ops::ConvolutionSpecification& spec = specification_;
  const Index height = y.extent(1);
  const Index width = y.extent(2);
  const ops::ActivationLimits limits = ops::limits_of(spec.activation);
  const auto gather = [&](Index pixel, float* patch) {
    const Index n = pixel / (height * width);
    const Index top = pixel / width % height * spec.stride - spec.padding;
    const Index left = pixel % width * spec.stride - spec.padding;
    for (Index a = 0; a < spec.kernel; ++a) {
      for (Index b = 0; b < spec.kernel; ++b, patch += spec.in_channels) {
        const Index row = top + a * spec.dilation;
        const Index column = left + b * spec.dilation;
        if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2)) {
          std::fill_n(patch, spec.in_channels, 0.0f);
          continue;
        }
        const Element* from = x.data() + x.offset(n, row, column, 0);
        for (Index c = 0; c < spec.in_channels; ++c) patch[c] = static_cast<float>(from[c]);
      }
    }
  };
  const auto finish = [&](Index pixel, const float* sums) {
    const Index first = pixel * spec.out_channels;
    for (Index o = 0; o < spec.out_channels; ++o) {
      float value = sums[o] + bias_.data()[o];
      if (r != nullptr) value += static_cast<float>(r[first + o]);
      y.data()[first + o] = Element(limits(value));
    }
  };
  product_of_rows(context, threads_, y.extent(0) * height * width, weights_.view(), gather, finish);
}

template <class Element>
std::size_t EigenMath::Convolution<Element>::scratch_bytes() const {
  return static_cast<std::size_t>(threads_) *
         product_scratch_bytes(weights_.extent(1), weights_.extent(0));
}

template <class Element, class Out>
EigenMath::Linear<Element, Out>::Linear(const Target& target,
                                        const ops::LinearSpecification& specification,
                                        TensorView<const float, 2> weights,
                                        TensorView<const float, 2> table)
    : specification_(specification),
      threads_(thread_count(target)),
      weights_(weights.shape()),
      table_(table.shape()) {
  check_linear(specification, weights, table);
  std::transform(weights.data(), weights.data() + weights.size(), weights_.data(),
                 rounded<Element>);
  std::copy_n(table.data(), table.size(), table_.data());
}

template <class Element, class Out>
void EigenMath::Linear<Element, Out>::operator()(Context& context, TensorView<const Element, 2> x,
                                                 TensorView<Out, 2> y) const {
  check_linear_call(specification_, x, y);
  const Index features = specification_.out_features;
  const ops::ActivationLimits limits = ops::limits_of(specification_.activation);
  const auto gather = [&](Index row, float* values) {
    const Element* from = x.data() + row * x.stride(0);
    for (Index c = 0; c < specification_.in_features; ++c) values[c] = static_cast<float>(from[c]);
  };
  const auto finish = [&](Index row, const float* sums) {
    const float* table = table_.data() + row % table_.extent(0) * features;
    Out* to = y.data() + row * y.stride(0);
    for (Index o = 0; o < features; ++o) {
      to[o] = Out(limits(sums[o] + table[o]));
    }
  };
  product_of_rows(context, threads_, specification_.rows, weights_.view(), gather, finish);
}

template <class Element, class Out>
std::size_t EigenMath::Linear<Element, Out>::scratch_bytes() const {
  return static_cast<std::size_t>(threads_) *
         product_scratch_bytes(specification_.in_features, specification_.out_features);
}

template class EigenMath::Convolution<float>;
template class EigenMath::Convolution<bfloat16>;
template class EigenMath::Linear<float>;
template class EigenMath::Linear<bfloat16>;
template class EigenMath::Linear<bfloat16, float>;

}  // namespace crossfix::cpu
