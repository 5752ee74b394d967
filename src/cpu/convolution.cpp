#include "crossfix/cpu/convolution.hpp"

#include <utility>

#include "with_library.hpp"

namespace crossfix::cpu {

template <class Element>
struct Convolution<Element>::Implementation {
  template <class Library>
  using Of = typename Library::template Convolution<Element>;

  OfAnyLibrary<Of> operation;
};

template <class Element>
Convolution<Element>::Convolution(const Target& target,
                                  const ops::ConvolutionSpecification& specification,
                                  TensorView<const float, 4> weights,
                                  TensorView<const float, 1> bias, const Shape<4>& input_shape)
    : implementation_(
          with_library(target, [&]<class Library>() -> std::unique_ptr<const Implementation> {
            using Operator = typename Implementation::template Of<Library>;
            return std::make_unique<const Implementation>(
                Implementation{Operator(target, specification, weights, bias, input_shape)});
          })) {}

template <class Element>
Convolution<Element>::Convolution(Convolution&&) noexcept = default;
template <class Element>
Convolution<Element>& Convolution<Element>::operator=(Convolution&&) noexcept = default;
template <class Element>
Convolution<Element>::~Convolution() = default;

template <class Element>
void Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                      TensorView<Element, 4> y) const {
  std::visit([&](const auto& operation) { operation(context, x, y); }, implementation_->operation);
}
template <class Element>
void Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                      TensorView<const Element, 4> r,
                                      TensorView<Element, 4> y) const {
  std::visit([&](const auto& operation) { operation(context, x, r, y); },
             implementation_->operation);
}

template <class Element>
std::size_t Convolution<Element>::scratch_bytes() const {
  return std::visit([](const auto& operation) { return operation.scratch_bytes(); },
                    implementation_->operation);
}

template <class Element>
struct DepthwiseConvolution<Element>::Implementation {
  template <class Library>
  using Of = typename Library::template DepthwiseConvolution<Element>;

  OfAnyLibrary<Of> operation;
};

template <class Element>
DepthwiseConvolution<Element>::DepthwiseConvolution(
    const Target& target, const ops::DepthwiseConvolutionSpecification& specification,
    TensorView<const float, 3> weights, TensorView<const float, 1> bias,
    const Shape<4>& input_shape)
    : implementation_(
          with_library(target, [&]<class Library>() -> std::unique_ptr<const Implementation> {
            using Operator = typename Implementation::template Of<Library>;
            return std::make_unique<const Implementation>(
                Implementation{Operator(target, specification, weights, bias, input_shape)});
          })) {}

template <class Element>
DepthwiseConvolution<Element>::DepthwiseConvolution(DepthwiseConvolution&&) noexcept = default;
template <class Element>
DepthwiseConvolution<Element>& DepthwiseConvolution<Element>::operator=(
    DepthwiseConvolution&&) noexcept = default;
template <class Element>
DepthwiseConvolution<Element>::~DepthwiseConvolution() = default;

template <class Element>
void DepthwiseConvolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                               TensorView<Element, 4> y) const {
  std::visit([&](const auto& operation) { operation(context, x, y); }, implementation_->operation);
}

template <class Element>
std::size_t DepthwiseConvolution<Element>::scratch_bytes() const {
  return std::visit([](const auto& operation) { return operation.scratch_bytes(); },
                    implementation_->operation);
}

template class Convolution<float>;
template class Convolution<bfloat16>;
template class DepthwiseConvolution<float>;
template class DepthwiseConvolution<bfloat16>;

}  // namespace crossfix::cpu
