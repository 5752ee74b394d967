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

/// Views in a backend's memory with its activation element type.
template <class B, std::size_t Rank>
using ActivationView = TensorView<typename B::Element, Rank, typename B::Space>;
template <class B, std::size_t Rank>
using ConstActivationView = TensorView<const typename B::Element, Rank, typename B::Space>;

/// What the network requires of a backend. A backend is a type with these members:
///
/// - `Space` (where activations are stored) and `Element` (their type: float, bfloat16, ...). Every
///   sum is accumulated in float, whatever the element type.
/// - `Target`: where operators are prepared and run (threads; or device, stream and memory). It is
///   a handle and can be copied freely. It is the first argument of every constructor below.
/// - `Context(target, scratch_bytes)`: how work is run, and the scratch memory that operators
///   share. One is made per localizer, with the largest `scratch_bytes()` of its operators. One
///   thread may use it at a time.
/// - `Arena(target, bytes)`: owns zeroed memory in `Space`, at least 64-byte aligned; `data()`
///   returns its address.
/// - Prepared operators. They are made at load time for one fixed input shape, from float weights
///   in host memory. Weights, biases and tables are contiguous host views of float; they are
///   copied, not kept. Prepared operators are immutable, so that several localizers can share them,
///   and they are move-only.
///
/// Prepared operators, with their constructor arguments (without `target`, which comes first) and
/// their calls:
///
/// - `Convolution(spec, W[out, in, kernel, kernel], bias[out], input shape [n, h, w, in])`;
///   `(context, x, y)`, or with `spec.residual` `(context, x, r, y)`: y[n, h', w', out] =
///   act(conv(x) + bias (+ r)). NHWC, contiguous. y may be r, which is the cheapest form.
/// - `DepthwiseConvolution(spec, W[c, kernel, kernel], bias[c], input shape [n, h, w, c])`;
///   `(context, x, y)`: y[n, h', w', c] = act(sum over taps of x[.., c] W[c, ..] + bias[c]). NHWC,
///   contiguous. y may not overlap x.
/// - `Linear(spec, W[out, in], table[tokens, out])`; `(context, x, y)`: y[row, out] = act(x[row,
///   in] W^T + table[row mod tokens, out]). A bias is a table of one token. Rows of x and y may be
///   strided, columns are contiguous.
/// - `FloatLinear`: a Linear whose y is float. Tokens stay in float between operators, and are
///   rounded to `Element` only as inputs of a matrix product.
/// - `Projection(W[out, in], bias[out])`; `(context, x, y)`: y[row, out] = x W^T + bias, with y in
///   float and W not rounded. Used for the few outputs of the heads.
/// - `LayerNorm(scale[c], shift[c], epsilon)`; `(context, x, y, z)` and `(context, x, r, y, z)`:
///   y[row, c] = norm(x (+ r)) * scale + shift, normalised over c, all in float; z is y rounded to
///   `Element`. y may be x or r.
/// - `SpatialAttention(spec, W[heads, positions, positions], bias[heads, positions])`; `(context,
///   x, y)`: x [n, h, w, c], contiguous, is divided into blocks of `spec.rows` x `spec.cols`
///   positions. For each block and head, the output is the sum over the block's positions p of
///   their features times w[p] = sum_q m[q] W[head, q, p] + bias[head, p], where m[q] is the mean
///   or maximum of the channels of position q. y [n x blocks, heads x c] is float, with blocks in
///   row-major order; rows may be strided. Each row is scaled to length 1 if the specification asks
///   for it. All arithmetic is in float.
///
/// Free operators (static members):
///
/// - `attention(context, q, k, v, o, scale)`: o = softmax(scale q k^T) v. Views are [batch, token,
///   head, dim], with any strides except that dim is contiguous. Never stores a whole Nq x Nk score
///   matrix. Nk = 0 gives zeros.
/// - `attention(context, q, k, v, o, lse, scale)`: also writes lse[batch, query, head] = ln(sum
///   over keys of exp(scale q.k)) in float, any strides. With it, results over parts of the keys
///   can be merged (ops/online_softmax.hpp). If Nk = 0, or if all scores are -inf, lse is -inf and
///   o is zero.
/// - `match(context, blocks, panoramas, y)`: y[n, i, j, :] is the descriptor of block (i, j) of
///   image n, followed by its dot product with the descriptor of panorama n, followed by zeros.
///   blocks [n x h x w, length] and panoramas [n, length] are float; y is [n, h, w, more than
///   length]; all are contiguous.
/// - `copy(context, x, y)`: y = x, both of the same shape, any strides.
/// - `max_pool(context, window, x, y)`: halves both axes (`PoolWindow`), NHWC.
/// - `adaptive_max_pool(context, x, y)`: NHWC to y's height and width (`adaptive_range`).
/// - `load_image(context, image, mean[3], std[3], y)`: 8-bit RGB [height, width, 3] of any size to
///   y [height', width', 3]: antialiased bilinear resize, then (value / 255 - mean) / std.
/// - `sample_ground(context, panorama, spec, poses, mean[3], std[3], y)`: samples the ground around
///   a camera, north up, once for each pose in a span. The source is a whole equirectangular
///   panorama in host memory, 8-bit RGB [height, width, 3] with rows without gaps. y [poses, side,
///   side, 3], contiguous, is interpolated bilinearly between four pixels (`panorama_point`), then
///   (value / 255 - mean) / std.
/// - `sample_ground(context, image, camera, spec, poses, mean[3], std[3], y)`: the same from an
///   image that a camera took, by its model and the poses' roll and pitch. y is 0 for ground that
///   the image does not show.
/// - `standardize(context, x, weights, y)`: subtracts from every channel of x [h, w, c] its mean,
///   and divides it by its standard deviation plus `kDeviationFloor`. Both are taken over the
///   positions with weights [h, w]. Contiguous; y may be x.
/// - `correlate(context, tile, views, weights, scores)`: scores[k, row, col], float, is the
///   `match_score` of view k with its middle at (row, col) of the tile, over the part of the view
///   that lies in the tile. tile is [height, width, c], views [k, h, w, c] with h and w odd,
///   weights [h, w], scores [k, height, width], all contiguous. The weights of positions are in
///   host memory, at least 0, and at least one is above 0. They are copied, not kept.
/// - `log_sum_exp(context, scores, bias, scale, of_rows, of_columns)`: of_rows[r] = log of the sum
///   over c of exp(scale * (scores[r, c] + bias[r])); of_columns[c] = the same over r
///   (ops/log_sum_exp.hpp).
/// - `decode(context, outputs, decoding)`: computes probabilities, offsets in cells and a fix for
///   each image from the logits and raw offsets of the heads. All are in one HeadOutputs<Space>.
/// - `round(context, x, z)`: z is x, a float view in `Space`, rounded to `Element`.
/// - `read(context, x, out)`: copies activations, or a float view in `Space`, to a contiguous float
///   host buffer of x's size. Rows of x have no gaps. Floats keep their bits. Synchronises.
/// - `write(context, from, y)`: copies a contiguous float host buffer of y's size to a contiguous
///   float view in `Space`. The buffer may be reused on return.
/// - `scratch_bytes()` of each convolution, matrix product and spatial attention,
///   `attention_scratch_bytes(target, tokens_q, tokens_k, heads, dim)` and
///   `correlate_scratch_bytes(target, tile shape, views' shape)`.
///
/// Errors: ShapeError if shapes do not match, DeviceError if the device lacks an instruction.
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
             const camera::BasicCamera<float>& camera,
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
      B::sample_ground(context, image, camera, ground_spec, poses, rgb, rgb, y4);
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
