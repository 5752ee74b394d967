#include "crossfix/cpu/projection.hpp"

#include <algorithm>

#include "shape_checks.hpp"

namespace crossfix::cpu {

template <class Element>
Projection<Element>::Projection(const Target&, TensorView<const float, 2> weights,
                                TensorView<const float, 1> bias)
    : weights_(weights.shape()), bias_(bias.shape()) {
  expect_shape("projection bias", bias.shape(), {weights.extent(0)});
  expect_contiguous("projection weights", weights);
  expect_contiguous("projection bias", bias);
  std::copy_n(weights.data(), weights.size(), weights_.data());
  std::copy_n(bias.data(), bias.size(), bias_.data());
}

template <class Element>
void Projection<Element>::operator()(Context& context, TensorView<const Element, 2> x,
                                     TensorView<float, 2> y) const {
  const Index in = weights_.extent(1);
  const Index out = weights_.extent(0);
  const Index rows = x.extent(0);
  expect_shape("projection input", x.shape(), {rows, in});
  expect_shape("projection output", y.shape(), {rows, out});
  expect_contiguous_rows("projection input", x);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index row = 0; row < rows; ++row) {
    const Element* values = x.data() + row * x.stride(0);
    for (Index o = 0; o < out; ++o) {
      const float* weights = weights_.data() + o * in;
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (Index c = 0; c < in; ++c) sum += static_cast<float>(values[c]) * weights[c];
      y.data()[y.offset(row, o)] = sum + bias_.data()[o];
    }
  }
}

template class Projection<float>;
template class Projection<bfloat16>;

}  // namespace crossfix::cpu
