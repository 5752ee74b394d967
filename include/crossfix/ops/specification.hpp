#pragma once

#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix::ops {

/// The function applied to the sum of a convolution or a matrix product.
enum class Activation {
  none,
  relu,   ///< max(s, 0)
  relu6,  ///< min(max(s, 0), 6)
};

/// The limits to which an activation clamps a sum.
struct ActivationLimits {
  float least = -std::numeric_limits<float>::infinity();
  float most = std::numeric_limits<float>::infinity();

  /// The clamped sum; NaN stays NaN.
  constexpr float operator()(float sum) const {
    return sum < least ? least : sum > most ? most : sum;
  }
};

constexpr ActivationLimits limits_of(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return {.least = 0.0f};
    case Activation::relu6:
      return {.least = 0.0f, .most = 6.0f};
    default:
      return {};
  }
}

/// Output extent of a convolution along an axis of `input` pixels; 0 if the taps span more than the
/// padded input.
constexpr Index convolution_extent(Index input, Index kernel, Index stride, Index padding,
                                   Index dilation) {
  const Index steps = input + 2 * padding - dilation * (kernel - 1) - 1;
  return steps < 0 ? 0 : steps / stride + 1;
}

/// A square convolution over NHWC activations.
struct ConvolutionSpecification {
  Index in_channels = 0;
  Index out_channels = 0;
  Index kernel = 1;    ///< side of the kernel, taps
  Index stride = 1;    ///< both axes, pixels
  Index padding = 0;   ///< zeros on every side, pixels
  Index dilation = 1;  ///< distance between taps, pixels
  Activation activation = Activation::none;
  bool residual = false;  ///< a tensor of the output's shape is added before the activation

  /// Output extent along an axis of `input` pixels.
  constexpr Index output_extent(Index input) const {
    return convolution_extent(input, kernel, stride, padding, dilation);
  }

  /// Output shape [batch, height, width, out_channels] for an input [batch, height, width, in].
  constexpr Shape<4> output_shape(const Shape<4>& input) const {
    return {input[0], output_extent(input[1]), output_extent(input[2]), out_channels};
  }
};

/// A convolution of each channel with its own square kernel, over NHWC activations.
struct DepthwiseConvolutionSpecification {
  Index channels = 0;
  Index kernel = 1;    ///< side of the kernel, taps
  Index stride = 1;    ///< both axes, pixels
  Index padding = 0;   ///< zeros on every side, pixels
  Index dilation = 1;  ///< distance between taps, pixels
  Activation activation = Activation::none;

  /// Output extent along an axis of `input` pixels.
  constexpr Index output_extent(Index input) const {
    return convolution_extent(input, kernel, stride, padding, dilation);
  }

  /// Output shape [batch, height, width, channels] for an input [batch, height, width, channels].
  constexpr Shape<4> output_shape(const Shape<4>& input) const {
    return {input[0], output_extent(input[1]), output_extent(input[2]), channels};
  }
};

/// A matrix product over rows of tokens: y[row, out] = act(sum_in x[row, in] w[out, in] + table).
struct LinearSpecification {
  Index rows = 0;  ///< batch x tokens
  Index in_features = 0;
  Index out_features = 0;
  Activation activation = Activation::none;
};

/// Window of a max pool that halves an axis. Pixels outside the input are ignored.
enum class PoolWindow {
  three,  ///< 3x3, stride 2, padding 1: as in ResNet
  two,    ///< 2x2, stride 2: as in VGG; an odd last row or column has its own window
};

/// Output extent along an axis, for either window.
constexpr Index max_pool_extent(Index input) { return (input - 1) / 2 + 1; }

/// Descriptors of blocks of positions by spatial attention without an activation.
struct SpatialAttentionSpecification {
  enum class Summary { mean, maximum };

  Index rows = 0;  ///< rows of positions in a block
  Index cols = 0;
  Index heads = 0;
  Summary summary = Summary::mean;  ///< over the channels of a position
  bool normalized = false;          ///< descriptors are scaled to length 1

  constexpr Index positions() const { return rows * cols; }
};

/// A descriptor is divided by its length, or by this if its length is smaller.
inline constexpr double kShortestDescriptor = 1e-12;

/// Half-open input range [begin, end) of an output cell of a pool.
struct PoolRange {
  Index begin = 0;
  Index end = 0;
};

constexpr PoolRange max_pool_range(PoolWindow window, Index index, Index input) {
  const Index begin = window == PoolWindow::three && index > 0 ? 2 * index - 1 : 2 * index;
  return {begin, 2 * index + 2 < input ? 2 * index + 2 : input};
}

/// The input range of cell `index` of an adaptive pool from `input` to `output` elements: floor(i n
/// / m) to ceil((i + 1) n / m).
constexpr PoolRange adaptive_range(Index index, Index input, Index output) {
  return {index * input / output, ceil_div((index + 1) * input, output)};
}

}  // namespace crossfix::ops
