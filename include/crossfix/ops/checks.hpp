#pragma once

#include <cstddef>
#include <string>

#include "crossfix/core/checks.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/ops/specification.hpp"

/// Argument checks that every backend shares. All throw ShapeError.
namespace crossfix::ops {

/// Checks a request for `bytes` of scratch memory against the `available` bytes of the context.
inline void check_scratch(std::size_t bytes, std::size_t available) {
  if (bytes > available) {
    throw ShapeError("an operator needs " + std::to_string(bytes) +
                     " bytes of scratch memory; the context was made with " +
                     std::to_string(available));
  }
}

/// Checks of the arguments of a convolution's constructor.
inline void check_convolution(const ConvolutionSpecification& spec,
                              const TensorView<const float, 4>& weights,
                              const TensorView<const float, 1>& bias, const Shape<4>& input) {
  const bool positive = spec.in_channels > 0 && spec.out_channels > 0 && spec.kernel > 0 &&
                        spec.stride > 0 && spec.padding >= 0 && spec.dilation > 0 && input[0] > 0;
  if (!positive) throw ShapeError("a convolution's extents must be positive");
  expect_shape("convolution weights", weights.shape(),
               {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel});
  expect_shape("convolution bias", bias.shape(), {spec.out_channels});
  expect_contiguous("convolution weights", weights);
  expect_contiguous("convolution bias", bias);
  if (input[3] != spec.in_channels || spec.output_extent(input[1]) <= 0 ||
      spec.output_extent(input[2]) <= 0) {
    throw ShapeError("a convolution of " + std::to_string(spec.in_channels) + " channels, kernel " +
                     std::to_string(spec.kernel) + ", cannot take an input of shape " +
                     to_string(input));
  }
}

/// Checks of the arguments of a convolution's call.
template <class Element, MemorySpace Space>
void check_convolution_call(const ConvolutionSpecification& spec, const Shape<4>& input,
                            const TensorView<const Element, 4, Space>& x,
                            const TensorView<Element, 4, Space>& y, bool residual) {
  if (residual != spec.residual) {
    throw ShapeError(spec.residual ? "a convolution with a residual was called without one"
                                   : "a convolution without a residual was called with one");
  }
  expect_shape("convolution input", x.shape(), input);
  expect_shape("convolution output", y.shape(), spec.output_shape(input));
  expect_contiguous("convolution input", x);
  expect_contiguous("convolution output", y);
}

/// Checks of the arguments of a depthwise convolution's constructor.
inline void check_depthwise(const DepthwiseConvolutionSpecification& spec,
                            const TensorView<const float, 3>& weights,
                            const TensorView<const float, 1>& bias, const Shape<4>& input) {
  const bool positive = spec.channels > 0 && spec.kernel > 0 && spec.stride > 0 &&
                        spec.padding >= 0 && spec.dilation > 0 && input[0] > 0;
  if (!positive) throw ShapeError("a depthwise convolution's extents must be positive");
  expect_shape("depthwise weights", weights.shape(), {spec.channels, spec.kernel, spec.kernel});
  expect_shape("depthwise bias", bias.shape(), {spec.channels});
  expect_contiguous("depthwise weights", weights);
  expect_contiguous("depthwise bias", bias);
  if (input[3] != spec.channels || input[1] <= 0 || input[2] <= 0 ||
      spec.output_extent(input[1]) <= 0 || spec.output_extent(input[2]) <= 0) {
    throw ShapeError("a depthwise convolution of " + std::to_string(spec.channels) +
                     " channels, kernel " + std::to_string(spec.kernel) + ", dilation " +
                     std::to_string(spec.dilation) + ", cannot take an input of shape " +
                     to_string(input));
  }
}

/// Checks of the arguments of a depthwise convolution's call.
template <class Element, MemorySpace Space>
void check_depthwise_call(const DepthwiseConvolutionSpecification& spec, const Shape<4>& input,
                          const TensorView<const Element, 4, Space>& x,
                          const TensorView<Element, 4, Space>& y) {
  expect_shape("depthwise input", x.shape(), input);
  expect_shape("depthwise output", y.shape(), spec.output_shape(input));
  expect_contiguous("depthwise input", x);
  expect_contiguous("depthwise output", y);
}

/// Checks of the arguments of a linear operator's constructor.
inline void check_linear(const LinearSpecification& spec, const TensorView<const float, 2>& weights,
                         const TensorView<const float, 2>& table) {
  if (spec.rows <= 0 || spec.in_features <= 0 || spec.out_features <= 0) {
    throw ShapeError("a linear operator's extents must be positive");
  }
  expect_shape("linear weights", weights.shape(), {spec.out_features, spec.in_features});
  if (table.extent(1) != spec.out_features || table.extent(0) <= 0 ||
      spec.rows % table.extent(0) != 0) {
    throw ShapeError("a linear operator's table has shape " + to_string(table.shape()) +
                     ", expected [a divisor of " + std::to_string(spec.rows) + ", " +
                     std::to_string(spec.out_features) + "]");
  }
  expect_contiguous("linear weights", weights);
  expect_contiguous("linear table", table);
}

/// Checks of the arguments of a linear operator's call.
template <class Element, class Out, MemorySpace Space>
void check_linear_call(const LinearSpecification& spec,
                       const TensorView<const Element, 2, Space>& x,
                       const TensorView<Out, 2, Space>& y) {
  expect_shape("linear input", x.shape(), {spec.rows, spec.in_features});
  expect_shape("linear output", y.shape(), {spec.rows, spec.out_features});
  expect_contiguous_rows("linear input", x);
  expect_contiguous_rows("linear output", y);
}

/// Shape [n x blocks, heads x c] of the descriptors of an input [n, h, w, c]. Throws ShapeError if
/// blocks do not divide the input evenly.
inline Shape<2> descriptor_shape(const SpatialAttentionSpecification& spec, const Shape<4>& input) {
  if (input[1] % spec.rows != 0 || input[2] % spec.cols != 0) {
    throw ShapeError("blocks of " + std::to_string(spec.rows) + " x " + std::to_string(spec.cols) +
                     " positions do not fill an input of shape " + to_string(input));
  }
  return {input[0] * (input[1] / spec.rows) * (input[2] / spec.cols), spec.heads * input[3]};
}

/// Checks of the arguments of spatial attention's constructor.
inline void check_spatial_attention(const SpatialAttentionSpecification& spec,
                                    const TensorView<const float, 3>& weights,
                                    const TensorView<const float, 2>& bias) {
  if (spec.rows <= 0 || spec.cols <= 0 || spec.heads <= 0) {
    throw ShapeError("the extents of spatial attention must be positive");
  }
  expect_shape("spatial attention weights", weights.shape(),
               {spec.heads, spec.positions(), spec.positions()});
  expect_shape("spatial attention bias", bias.shape(), {spec.heads, spec.positions()});
  expect_contiguous("spatial attention weights", weights);
  expect_contiguous("spatial attention bias", bias);
}

/// Checks of the arguments of spatial attention's call.
template <class Element, MemorySpace Space>
void check_spatial_attention_call(const SpatialAttentionSpecification& spec,
                                  const TensorView<const Element, 4, Space>& x,
                                  const TensorView<float, 2, Space>& y) {
  expect_contiguous("spatial attention input", x);
  expect_contiguous_rows("descriptors", y);
  expect_shape("descriptors", y.shape(), descriptor_shape(spec, x.shape()));
}

/// Checks of the arguments of matching: blocks [n x h x w, length], panoramas [n, length], y [n, h,
/// w, more than length].
template <class Element, MemorySpace Space>
void check_match(const TensorView<const float, 2, Space>& blocks,
                 const TensorView<const float, 2, Space>& panoramas,
                 const TensorView<Element, 4, Space>& y) {
  const Index length = blocks.extent(1);
  expect_shape("block descriptors", blocks.shape(),
               {y.extent(0) * y.extent(1) * y.extent(2), length});
  expect_shape("panorama descriptors", panoramas.shape(), {y.extent(0), length});
  expect_contiguous("block descriptors", blocks);
  expect_contiguous("panorama descriptors", panoramas);
  expect_contiguous("matched blocks", y);
  if (y.extent(3) <= length) {
    throw ShapeError("matched blocks of shape " + to_string(y.shape()) + " have no room for " +
                     std::to_string(length) + " channels and a cosine");
  }
}

}  // namespace crossfix::ops
