#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/ops/decode.hpp"
#include "crossfix/ops/ground.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::ops {

/// Views in a backend's memory, holding its activation element.
template <class B, std::size_t Rank>
using ActivationView = TensorView<typename B::Element, Rank, typename B::Space>;
template <class B, std::size_t Rank>
using ConstActivationView = TensorView<const typename B::Element, Rank, typename B::Space>;

/// What the network asks of a backend. A backend is a type with
///
/// - `Space` (where activations live) and `Element` (their type: float, bfloat16, ...). Every sum
///   is in float whatever the element.
/// - `Target`: where operators are prepared and run (threads; or device, stream and memory). A
///   handle: copied freely, and handed first to whatever is made below.
/// - `Context(target, scratch_bytes)`: how work is run, and the scratch memory operators share.
///   Made once for a localizer, with the largest `scratch_bytes()` of its operators; used by one
///   thread at a time.
/// - `Arena(target, bytes)`: owns zeroed memory in `Space`, at least 64-byte aligned; `data()`.
/// - prepared operators, made at load time from float weights in host memory for one fixed input
///   shape. They are immutable afterwards, so that several localizers share them, and move only.
///   Weights, biases and tables are contiguous host views of float; copied, not kept.
///
/// Prepared operators, how each is made (`target` goes first and is left out here) and called:
///
/// - `Convolution(spec, W[out, in, kernel, kernel], bias[out], input shape [n, h, w, in])`;
///   `(context, x, y)`, with `spec.residual` `(context, x, r, y)`:
///   y[n, h', w', out] = act(conv(x) + bias (+ r)). NHWC, contiguous. y may be r, and that is the
///   cheapest.
/// - `DepthwiseConvolution(spec, W[c, kernel, kernel], bias[c], input shape [n, h, w, c])`;
///   `(context, x, y)`: y[n, h', w', c] = act(sum over taps of x[.., c] W[c, ..] + bias[c]). NHWC,
///   contiguous; y may not overlap x.
/// - `Linear(spec, W[out, in], table[tokens, out])`; `(context, x, y)`:
///   y[row, out] = act(x[row, in] W^T + table[row mod tokens, out]). A bias is a table of one
///   token. Rows of x and y may be strided, columns are contiguous.
/// - `FloatLinear`: a Linear whose y is float. Tokens stay in float between operators, and are
///   rounded to `Element` only where a product reads them.
/// - `Projection(W[out, in], bias[out])`; `(context, x, y)`: y[row, out] = x W^T + bias with y in
///   float and W not rounded: the heads' few outputs.
/// - `LayerNorm(scale[c], shift[c], epsilon)`; `(context, x, y, z)` and `(context, x, r, y, z)`:
///   y[row, c] = norm(x (+ r)) * scale + shift, over c, all in float; z is y rounded to `Element`.
///   y may be x or r.
/// - `SpatialAttention(spec, W[heads, positions, positions], bias[heads, positions])`; `(context,
///   x, y)`: for each block of `spec.rows` x `spec.cols` positions of x [n, h, w, c], contiguous,
///   and each head the sum of its positions' features with weights w[p] = sum_q m[q] W[head, q, p]
///   + bias[head, p], m the mean or maximum of a position's channels. y [n x blocks, heads x c] of
///   float, blocks in row-major order, rows may be strided; scaled to length 1 where the
///   specification says so. All in float.
///
/// Free operators (static members):
///
/// - `attention(context, q, k, v, o, scale)`: o = softmax(scale q k^T) v, views
///   [batch, token, head, dim], any strides but a contiguous dim; never holds a whole Nq x Nk score
///   matrix. Nk = 0 gives zeros.
/// - `attention(context, q, k, v, o, lse, scale)`: besides, lse[batch, query, head] of float, any
///   strides, = ln(sum over keys of exp(scale q.k)), by which results over parts of the keys merge
///   (ops/online_softmax.hpp). Nk = 0, and scores of nothing but -inf, give -inf, and zeros in o.
/// - `match(context, blocks, panoramas, y)`: y[n, i, j, :] is the descriptor of block (i, j) of
///   image n, its dot product with panorama n's, and zeros; blocks [n x h x w, length] and
///   panoramas [n, length] of float, y [n, h, w, more than length], all contiguous.
/// - `copy(context, x, y)`: y is x, both of one shape, any strides.
/// - `max_pool(context, window, x, y)`: halves both axes (`PoolWindow`), NHWC.
/// - `adaptive_max_pool(context, x, y)`: NHWC to y's height and width (`adaptive_range`).
/// - `load_image(context, image, mean[3], std[3], y)`: 8-bit RGB [height, width, 3] of any size to
///   y [height', width', 3]: antialiased bilinear resize, then (value / 255 - mean) / std.
/// - `sample_ground(context, panorama, spec, poses, mean[3], std[3], y)`: the ground about a
///   camera, north up, as each of a span of poses has it, out of a whole equirectangular panorama
///   in host memory, 8-bit RGB [height, width, 3] with rows without gaps: y [poses, side, side, 3],
///   contiguous, between four pixels each (`panorama_point`), then (value / 255 - mean) / std.
/// - `standardize(context, x, weights, y)`: every channel of x [h, w, c] less its mean and over its
///   standard deviation (`kDeviationFloor` added), both over the positions by weights [h, w];
///   contiguous, y may be x.
/// - `correlate(context, tile, views, weights, scores)`: scores[k, row, col] of float =
///   `match_score` of view k with its middle over (row, col) of the tile, over what of it lies in
///   the tile: tile [height, width, c], views [k, h, w, c] with h and w odd, weights [h, w], scores
///   [k, height, width], contiguous. These weights of positions are in host memory, at least 0 and
///   some above; copied, not kept.
/// - `log_sum_exp(context, scores, bias, scale, of_rows, of_columns)`: of_rows[r] = log of the sum
///   over c of exp(scale * (scores[r, c] + bias[r])), of_columns[c] = the same over r
///   (ops/log_sum_exp.hpp).
/// - `decode(context, outputs, decoding)`: the heads' logits and raw offsets to probabilities,
///   offsets in cells and a fix for each image, all in one HeadOutputs<Space>.
/// - `round(context, x, z)`: z is x, a float view in `Space`, rounded to `Element`.
/// - `read(context, x, out)`: activations, or a float view in `Space`, whose rows have no gaps, to
///   a contiguous float host buffer of x's size; floats keep their bits; synchronises.
/// - `write(context, from, y)`: a contiguous float host buffer of y's size, free on return, to a
///   contiguous float view in `Space`.
/// - `scratch_bytes()` of each convolution, matrix product and spatial attention,
///   `attention_scratch_bytes(target, tokens_q, tokens_k, heads, dim)` and
///   `correlate_scratch_bytes(target, tile shape, views' shape)`.
///
/// Errors: ShapeError for shapes that do not fit, DeviceError where the device lacks an
/// instruction.
// clang-format off
template <class B>
concept Backend =
    MemorySpace<typename B::Space> &&
    std::copyable<typename B::Target> &&
    requires(const typename B::Target& target, typename B::Context& context,
             const typename B::Convolution& convolution,
             const typename B::DepthwiseConvolution& depthwise,
             const typename B::Linear& linear, const typename B::FloatLinear& float_linear,
             const typename B::Projection& projection, const typename B::LayerNorm& norm,
             const typename B::SpatialAttention& spatial_attention, PoolWindow window,
             const SpatialAttentionSpecification& spatial_spec, TensorView<const float, 3> w3,
             ConstActivationView<B, 2> x2, ActivationView<B, 2> y2,
             ConstActivationView<B, 4> x4, ActivationView<B, 4> y4, ActivationView<B, 3> y3,
             ConstActivationView<B, 3> x3, TensorView<float, 3, typename B::Space> float3,
             TensorView<float, 2, typename B::Space> float2,
             TensorView<float, 1, typename B::Space> float1,
             TensorView<const float, 1, typename B::Space> const_float1,
             std::span<const CameraPose> poses,
             TensorView<const float, 2, typename B::Space> const_float2,
             const ops::HeadOutputs<typename B::Space>& outputs, const ops::Decoding& decoding,
             TensorView<const float, 4> w4, TensorView<const float, 2> w2,
             TensorView<const float, 1> w1, TensorView<const std::uint8_t, 3> image,
             const ConvolutionSpecification& convolution_spec,
             const DepthwiseConvolutionSpecification& depthwise_spec,
             const LinearSpecification& linear_spec, const GroundViewSpecification& ground_spec,
             const float (&rgb)[3], float* out, float scale, Shape<3> shape3, Shape<4> shape4,
             Index n) {
      typename B::Element;
      { typename B::Arena(target, std::size_t{}).data() } -> std::convertible_to<std::byte*>;
      { typename B::Context(target, std::size_t{}) };
      { typename B::Convolution(target, convolution_spec, w4, w1, shape4) };
      { typename B::DepthwiseConvolution(target, depthwise_spec, w3, w1, shape4) };
      { typename B::Linear(target, linear_spec, w2, w2) };
      { typename B::FloatLinear(target, linear_spec, w2, w2) };
      { typename B::Projection(target, w2, w1) };
      { typename B::LayerNorm(target, w1, w1, scale) };
      { typename B::SpatialAttention(target, spatial_spec, w3, w2) };
      convolution(context, x4, y4);
      convolution(context, x4, x4, y4);
      depthwise(context, x4, y4);
      linear(context, x2, y2);
      projection(context, x2, float2);
      float_linear(context, x2, float2);
      norm(context, const_float2, float2, y2);
      norm(context, const_float2, const_float2, float2, y2);
      B::attention(context, x4, x4, x4, y4, scale);
      B::attention(context, x4, x4, x4, y4, float3, scale);
      spatial_attention(context, x4, float2);
      B::match(context, const_float2, const_float2, y4);
      B::copy(context, x4, y4);
      B::max_pool(context, window, x4, y4);
      B::adaptive_max_pool(context, x4, y4);
      B::load_image(context, image, rgb, rgb, y3);
      B::sample_ground(context, image, ground_spec, poses, rgb, rgb, y4);
      B::standardize(context, x3, w2, y3);
      B::correlate(context, x3, x4, w2, float3);
      B::log_sum_exp(context, const_float2, const_float1, scale, float1, float1);
      B::decode(context, outputs, decoding);
      B::round(context, const_float2, y2);
      B::read(context, x2, out);
      B::read(context, const_float2, out);
      B::write(context, out, float1);
      { convolution.scratch_bytes() } -> std::convertible_to<std::size_t>;
      { depthwise.scratch_bytes() } -> std::convertible_to<std::size_t>;
      { linear.scratch_bytes() } -> std::convertible_to<std::size_t>;
      { float_linear.scratch_bytes() } -> std::convertible_to<std::size_t>;
      { spatial_attention.scratch_bytes() } -> std::convertible_to<std::size_t>;
      { B::attention_scratch_bytes(target, n, n, n, n) } -> std::convertible_to<std::size_t>;
      { B::correlate_scratch_bytes(target, shape3, shape4) } -> std::convertible_to<std::size_t>;
    };
// clang-format on

}  // namespace crossfix::ops
