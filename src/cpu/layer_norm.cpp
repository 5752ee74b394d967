#include "crossfix/cpu/layer_norm.hpp"

#include <cmath>

#include "shape_checks.hpp"

namespace crossfix::cpu {

template <class Element>
LayerNorm<Element>::LayerNorm(TensorView<const float, 1> scale, TensorView<const float, 1> shift,
                              float epsilon)
    : scale_(scale.shape()), shift_(shift.shape()), epsilon_(epsilon) {
  expect_shape("LayerNorm shift", shift.shape(), scale.shape());
  if (scale.empty()) throw ShapeError("a LayerNorm over no channels");
  for (Index c = 0; c < scale.extent(0); ++c) {
    scale_(c) = scale(c);
    shift_(c) = shift(c);
  }
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const Element, 2> x,
                                    TensorView<Element, 2> y) const {
  run(context, x, nullptr, 0, y);
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const Element, 2> x,
                                    TensorView<const Element, 2> r,
                                    TensorView<Element, 2> y) const {
  expect_shape("LayerNorm residual", r.shape(), x.shape());
  expect_contiguous_rows("LayerNorm residual", r);
  run(context, x, r.data(), r.stride(0), y);
}

template <class Element>
void LayerNorm<Element>::run(Context& context, TensorView<const Element, 2> x, const Element* r,
                             Index r_stride, TensorView<Element, 2> y) const {
  const Index rows = x.extent(0);
  const Index channels = scale_.extent(0);
  expect_shape("LayerNorm input", x.shape(), {rows, channels});
  expect_shape("LayerNorm output", y.shape(), x.shape());
  expect_contiguous_rows("LayerNorm input", x);
  expect_contiguous_rows("LayerNorm output", y);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index row = 0; row < rows; ++row) {
    const Element* in = x.data() + row * x.stride(0);
    const Element* add = r != nullptr ? r + row * r_stride : nullptr;
    Element* out = y.data() + row * y.stride(0);
    const auto value = [&](Index c) {
      return static_cast<float>(in[c]) + (add != nullptr ? static_cast<float>(add[c]) : 0.0f);
    };
    float sum = 0.0f;
    for (Index c = 0; c < channels; ++c) sum += value(c);
    const float mean = sum / static_cast<float>(channels);
    float squares = 0.0f;
    for (Index c = 0; c < channels; ++c) squares += (value(c) - mean) * (value(c) - mean);
    const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(channels) + epsilon_);
    for (Index c = 0; c < channels; ++c) {
      out[c] = Element((value(c) - mean) * inverse * scale_.data()[c] + shift_.data()[c]);
    }
  }
}

template class LayerNorm<float>;
template class LayerNorm<bfloat16>;

}  // namespace crossfix::cpu
