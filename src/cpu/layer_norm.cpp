#include "crossfix/cpu/layer_norm.hpp"

#include <algorithm>

#include "kernels/select.hpp"
#include "shape_checks.hpp"

namespace crossfix::cpu {

namespace {
constexpr Index kRowsOfATask = 16;
}

template <class Element>
LayerNorm<Element>::LayerNorm(const Target&, TensorView<const float, 1> scale,
                              TensorView<const float, 1> shift, float epsilon)
    : scale_(scale.shape()), shift_(shift.shape()), epsilon_(epsilon) {
  expect_shape("LayerNorm shift", shift.shape(), scale.shape());
  if (scale.empty()) throw ShapeError("a LayerNorm over no channels");
  for (Index c = 0; c < scale.extent(0); ++c) {
    scale_(c) = scale(c);
    shift_(c) = shift(c);
  }
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const float, 2> x,
                                    TensorView<float, 2> y, TensorView<Element, 2> z) const {
  run(context, x, nullptr, 0, y, z);
}

template <class Element>
void LayerNorm<Element>::operator()(Context& context, TensorView<const float, 2> x,
                                    TensorView<const float, 2> r, TensorView<float, 2> y,
                                    TensorView<Element, 2> z) const {
  expect_shape("LayerNorm residual", r.shape(), x.shape());
  expect_contiguous_rows("LayerNorm residual", r);
  run(context, x, r.data(), r.stride(0), y, z);
}

template <class Element>
void LayerNorm<Element>::run(Context& context, TensorView<const float, 2> x, const float* r,
                             Index r_stride, TensorView<float, 2> y,
                             TensorView<Element, 2> z) const {
  const Index rows = x.extent(0);
  const Index channels = scale_.extent(0);
  expect_shape("LayerNorm input", x.shape(), {rows, channels});
  expect_shape("LayerNorm output", y.shape(), x.shape());
  expect_contiguous_rows("LayerNorm input", x);
  expect_contiguous_rows("LayerNorm output", y);
  expect_shape("LayerNorm rounded output", z.shape(), x.shape());
  expect_contiguous_rows("LayerNorm rounded output", z);
  using Stored = kernels::Stored<Element>;
  const auto& kernel = kernels::select<Element>(context.instruction_set());
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index begin = 0; begin < rows; begin += kRowsOfATask) {
    kernel.layer_norm(
        {x.data() + begin * x.stride(0), r != nullptr ? r + begin * r_stride : nullptr,
         y.data() + begin * y.stride(0), reinterpret_cast<Stored*>(z.data() + begin * z.stride(0)),
         x.stride(0), r_stride, y.stride(0), z.stride(0), std::min(kRowsOfATask, rows - begin),
         channels, scale_.data(), shift_.data(), epsilon_});
  }
}

template class LayerNorm<float>;
template class LayerNorm<bfloat16>;

}  // namespace crossfix::cpu
