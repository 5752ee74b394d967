#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "crossfix/cpu/attention.hpp"
#include "crossfix/cpu/context.hpp"
#include "crossfix/cpu/convolution.hpp"
#include "crossfix/cpu/decode.hpp"
#include "crossfix/cpu/descriptor.hpp"
#include "crossfix/cpu/ground.hpp"
#include "crossfix/cpu/image_ops.hpp"
#include "crossfix/cpu/layer_norm.hpp"
#include "crossfix/cpu/linear.hpp"
#include "crossfix/cpu/log_sum_exp.hpp"
#include "crossfix/cpu/projection.hpp"
#include "crossfix/ops/backend.hpp"

namespace crossfix::cpu {

/// The CPU backend (contract: ops/backend.hpp). `Element` is float or bfloat16.
template <class ElementType>
struct Backend {
  using Space = HostSpace;
  using Element = ElementType;
  using Target = cpu::Target;
  using Context = ElementContext<Element>;
  using Arena = cpu::Arena;
  using Convolution = cpu::Convolution<Element>;
  using DepthwiseConvolution = cpu::DepthwiseConvolution<Element>;
  using Linear = cpu::Linear<Element>;
  using FloatLinear = cpu::Linear<Element, float>;
  using Projection = cpu::Projection<Element>;
  using LayerNorm = cpu::LayerNorm<Element>;
  using SpatialAttention = cpu::SpatialAttention<Element>;

  static std::size_t attention_scratch_bytes(const Target& target, Index tokens_q, Index tokens_k,
                                             Index heads, Index dim) {
    return cpu::attention_scratch_bytes<Element>(target, tokens_q, tokens_k, heads, dim);
  }
  static void attention(Context& context, TensorView<const Element, 4> q,
                        TensorView<const Element, 4> k, TensorView<const Element, 4> v,
                        TensorView<Element, 4> o, float scale) {
    cpu::attention<Element>(context, q, k, v, o, scale);
  }
  static void attention(Context& context, TensorView<const Element, 4> q,
                        TensorView<const Element, 4> k, TensorView<const Element, 4> v,
                        TensorView<Element, 4> o, TensorView<float, 3> lse, float scale) {
    cpu::attention<Element>(context, q, k, v, o, lse, scale);
  }
  static void max_pool(Context& context, ops::PoolWindow window, TensorView<const Element, 4> x,
                       TensorView<Element, 4> y) {
    cpu::max_pool<Element>(context, window, x, y);
  }
  static void match(Context& context, TensorView<const float, 2> blocks,
                    TensorView<const float, 2> panoramas, TensorView<Element, 4> y) {
    cpu::match<Element>(context, blocks, panoramas, y);
  }
  static void copy(Context& context, TensorView<const Element, 4> x, TensorView<Element, 4> y) {
    cpu::copy<Element>(context, x, y);
  }
  static void adaptive_max_pool(Context& context, TensorView<const Element, 4> x,
                                TensorView<Element, 4> y) {
    cpu::adaptive_max_pool<Element>(context, x, y);
  }
  static void load_image(Context& context, TensorView<const std::uint8_t, 3> image,
                         const float (&mean)[3], const float (&std)[3], TensorView<Element, 3> y) {
    cpu::load_image<Element>(context, image, mean, std, y);
  }
  static void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                            const ops::GroundViewSpecification& specification,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], TensorView<Element, 4> y) {
    cpu::sample_ground<Element>(context, panorama, specification, poses, mean, std, y);
  }
  static void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                            const camera::BasicCamera<float>& camera,
                            const ops::GroundViewSpecification& specification,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], TensorView<Element, 4> y) {
    cpu::sample_ground<Element>(context, image, camera, specification, poses, mean, std, y);
  }
  static void standardize(Context& context, TensorView<const Element, 3> x,
                          TensorView<const float, 2> weights, TensorView<Element, 3> y) {
    cpu::standardize<Element>(context, x, weights, y);
  }
  static std::size_t correlate_scratch_bytes(const Target& target, const Shape<3>& tile,
                                             const Shape<4>& views) {
    return cpu::correlate_scratch_bytes(target, tile, views);
  }
  static void correlate(Context& context, TensorView<const Element, 3> tile,
                        TensorView<const Element, 4> views, TensorView<const float, 2> weights,
                        TensorView<float, 3> scores) {
    cpu::correlate<Element>(context, tile, views, weights, scores);
  }
  static void log_sum_exp(Context& context, TensorView<const float, 2> scores,
                          TensorView<const float, 1> bias, float scale,
                          TensorView<float, 1> of_rows, TensorView<float, 1> of_columns) {
    cpu::log_sum_exp(context, scores, bias, scale, of_rows, of_columns);
  }
  static void decode(Context& context, const ops::HeadOutputs<Space>& outputs,
                     const ops::Decoding& decoding) {
    cpu::decode(context, outputs, decoding);
  }
  static void round(Context& context, TensorView<const float, 2> x, TensorView<Element, 2> z) {
    cpu::round<Element>(context, x, z);
  }
  template <class T>
  static void read(Context& context, TensorView<T, 2> x, float* out) {
    cpu::read<std::remove_const_t<T>>(context, x, out);
  }
  static void write(Context&, const float* from, TensorView<float, 1> y) {
    expect_contiguous("a view to write", y);
    std::copy_n(from, y.size(), y.data());
  }
};

static_assert(ops::Backend<Backend<float>>);
static_assert(ops::Backend<Backend<bfloat16>>);

}  // namespace crossfix::cpu
