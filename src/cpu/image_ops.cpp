#include "crossfix/cpu/image_ops.hpp"

#include <algorithm>
#include <type_traits>

#include "crossfix/ops/specification.hpp"
#include "kernels/select.hpp"
#include "shape_checks.hpp"

namespace crossfix::cpu {
namespace {

using ops::PoolRange;

/// y[n, i, j, c] = max of x[n, rows(i), columns(j), c]. `rows` and `columns` give half-open ranges
/// inside x.
template <class Element, class Rows, class Columns>
void pool(const Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y,
          Rows rows, Columns columns) {
  expect_contiguous("pool input", x);
  expect_contiguous("pool output", y);
  using Stored = kernels::Stored<Element>;
  const auto& kernel = kernels::select<Element>(context.instruction_set());
  const Index channels = x.extent(3);
#pragma omp parallel for collapse(2) schedule(static) num_threads(context.threads())
  for (Index n = 0; n < y.extent(0); ++n) {
    for (Index i = 0; i < y.extent(1); ++i) {
      const PoolRange vertical = rows(i);
      for (Index j = 0; j < y.extent(2); ++j) {
        const PoolRange horizontal = columns(j);
        Element* out = y.data() + y.offset(n, i, j, 0);
        const Element* first = x.data() + x.offset(n, vertical.begin, horizontal.begin, 0);
        std::copy(first, first + channels, out);
        for (Index r = vertical.begin; r < vertical.end; ++r) {
          for (Index s = horizontal.begin; s < horizontal.end; ++s) {
            kernel.maximum(reinterpret_cast<Stored*>(out),
                           reinterpret_cast<const Stored*>(x.data() + x.offset(n, r, s, 0)),
                           channels);
          }
        }
      }
    }
  }
}

}  // namespace

template <class Element>
void max_pool(Context& context, ops::PoolWindow window, TensorView<const Element, 4> x,
              TensorView<Element, 4> y) {
  const Index height = x.extent(1);
  const Index width = x.extent(2);
  expect_shape(
      "max pool output", y.shape(),
      {x.extent(0), ops::max_pool_extent(height), ops::max_pool_extent(width), x.extent(3)});
  const auto range = [window](Index extent) {
    return [window, extent](Index i) { return ops::max_pool_range(window, i, extent); };
  };
  pool(context, x, y, range(height), range(width));
}

template <class Element>
void adaptive_max_pool(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y) {
  expect_shape("adaptive max pool output", y.shape(),
               {x.extent(0), y.extent(1), y.extent(2), x.extent(3)});
  if (y.extent(1) > x.extent(1) || y.extent(2) > x.extent(2)) {
    throw ShapeError("an adaptive max pool cannot enlarge " + to_string(x.shape()) + " to " +
                     to_string(y.shape()));
  }
  const auto range = [](Index input, Index output) {
    return [input, output](Index i) { return ops::adaptive_range(i, input, output); };
  };
  pool(context, x, y, range(x.extent(1), y.extent(1)), range(x.extent(2), y.extent(2)));
}

template <class Element>
void load_image(Context& context, TensorView<const std::uint8_t, 3> image, const float (&mean)[3],
                const float (&std)[3], TensorView<Element, 3> y) {
  expect_shape("loaded image", y.shape(), {y.extent(0), y.extent(1), 3});
  expect_contiguous("loaded image", y);
  if (image.empty() || image.extent(2) != 3) {
    throw ShapeError("an image has shape " + to_string(image.shape()) +
                     ", expected [height, width, 3]");
  }
  const auto resized = context.resizers().get({image.extent(0), image.extent(1)},
                                              {y.extent(0), y.extent(1)})(image, context.threads());
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index i = 0; i < y.extent(0); ++i) {
    const std::uint8_t* in = resized.data() + i * resized.stride(0);
    Element* out = y.data() + i * y.stride(0);
    for (Index j = 0; j < y.extent(1); ++j) {
      for (Index c = 0; c < 3; ++c) {
        *out++ = Element((static_cast<float>(*in++) / 255.0f - mean[c]) / std[c]);
      }
    }
  }
}

template <class Element>
void round(Context& context, TensorView<const float, 2> x, TensorView<Element, 2> z) {
  expect_shape("rounded output", z.shape(), x.shape());
  expect_contiguous_rows("rounding input", x);
  expect_contiguous_rows("rounded output", z);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index i = 0; i < x.extent(0); ++i) {
    const float* from = x.data() + i * x.stride(0);
    Element* to = z.data() + i * z.stride(0);
    for (Index j = 0; j < x.extent(1); ++j) to[j] = Element(from[j]);
  }
}

template <class Element>
void copy(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y) {
  expect_shape("copy", y.shape(), x.shape());
#pragma omp parallel for collapse(2) schedule(static) num_threads(context.threads())
  for (Index n = 0; n < x.extent(0); ++n) {
    for (Index i = 0; i < x.extent(1); ++i) {
      for (Index j = 0; j < x.extent(2); ++j) {
        for (Index c = 0; c < x.extent(3); ++c) y(n, i, j, c) = x(n, i, j, c);
      }
    }
  }
}

template <class Element>
void read(Context& context, TensorView<const Element, 2> x, float* out) {
  expect_contiguous_rows("a view to read", x);
  const Index columns = x.extent(1);
#pragma omp parallel for schedule(static) num_threads(context.threads())
  for (Index i = 0; i < x.extent(0); ++i) {
    const Element* from = x.data() + i * x.stride(0);
    float* to = out + i * columns;
    if constexpr (std::is_same_v<Element, float>) {
      std::copy_n(from, columns, to);
    } else {
      for (Index j = 0; j < columns; ++j) to[j] = static_cast<float>(from[j]);
    }
  }
}

template void max_pool<float>(Context&, ops::PoolWindow, TensorView<const float, 4>,
                              TensorView<float, 4>);
template void max_pool<bfloat16>(Context&, ops::PoolWindow, TensorView<const bfloat16, 4>,
                                 TensorView<bfloat16, 4>);
template void adaptive_max_pool<float>(Context&, TensorView<const float, 4>, TensorView<float, 4>);
template void adaptive_max_pool<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                          TensorView<bfloat16, 4>);
template void load_image<float>(Context&, TensorView<const std::uint8_t, 3>, const float (&)[3],
                                const float (&)[3], TensorView<float, 3>);
template void load_image<bfloat16>(Context&, TensorView<const std::uint8_t, 3>, const float (&)[3],
                                   const float (&)[3], TensorView<bfloat16, 3>);
template void round<float>(Context&, TensorView<const float, 2>, TensorView<float, 2>);
template void round<bfloat16>(Context&, TensorView<const float, 2>, TensorView<bfloat16, 2>);
template void copy<float>(Context&, TensorView<const float, 4>, TensorView<float, 4>);
template void copy<bfloat16>(Context&, TensorView<const bfloat16, 4>, TensorView<bfloat16, 4>);
template void read<float>(Context&, TensorView<const float, 2>, float*);
template void read<bfloat16>(Context&, TensorView<const bfloat16, 2>, float*);

}  // namespace crossfix::cpu
