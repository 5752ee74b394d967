#pragma once

#include <cstdint>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu {

/// Max pooling that halves both axes, over contiguous NHWC views: x [n, h, w, c] to y [n, (h - 1) /
/// 2 + 1, (w - 1) / 2 + 1, c]. Throws ShapeError.
template <class Element>
void max_pool(Context& context, ops::PoolWindow window, TensorView<const Element, 4> x,
              TensorView<Element, 4> y);

/// The maximum over `ops::adaptive_range` on both axes: x [n, h, w, c] to y [n, h', w', c],
/// contiguous NHWC. Throws ShapeError if y is larger than x.
template <class Element>
void adaptive_max_pool(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y);

/// Resizes 8-bit RGB [height, width, 3], rows without gaps, to y's height and width (Resizer), then
/// y = (value / 255 - mean) / std for each channel; y [height', width', 3] is contiguous.
template <class Element>
void load_image(Context& context, TensorView<const std::uint8_t, 3> image, const float (&mean)[3],
                const float (&std)[3], TensorView<Element, 3> y);

/// z is x rounded to `Element`: [rows, columns], both with contiguous columns.
template <class Element>
void round(Context& context, TensorView<const float, 2> x, TensorView<Element, 2> z);

/// y = x, both of the same shape, any strides.
template <class Element>
void copy(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y);

/// Copies activations to a contiguous float buffer of x's size.
template <class Element>
void read(Context& context, TensorView<const Element, 2> x, float* out);

}  // namespace crossfix::cpu
