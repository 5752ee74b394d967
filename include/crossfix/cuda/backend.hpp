#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "crossfix/cuda/attention.hpp"
#include "crossfix/cuda/context.hpp"
#include "crossfix/cuda/convolution.hpp"
#include "crossfix/cuda/decode.hpp"
#include "crossfix/cuda/depthwise_convolution.hpp"
#include "crossfix/cuda/descriptor.hpp"
#include "crossfix/cuda/elementwise.hpp"
#include "crossfix/cuda/ground_operators.hpp"
#include "crossfix/cuda/linear.hpp"
#include "crossfix/cuda/pool.hpp"
#include "crossfix/cuda/read.hpp"
#include "crossfix/cuda/softmax.hpp"
#include "crossfix/cuda/target.hpp"
#include "crossfix/cuda/token_operators.hpp"
#include "crossfix/ops/backend.hpp"

namespace crossfix::cuda {

/// The CUDA backend (contract: ops/backend.hpp). `Element` is float, bfloat16 or float16. Operators
/// enqueue their work on the context's stream and do not wait for it, except `read`. Operators that
/// take host memory wait at most for their staging memory. All operators make their device the
/// current one while they run.
template <class ElementType>
struct Backend {
  using Space = DeviceSpace;
  using Element = ElementType;
  using Target = cuda::Target;
  using Context = cuda::Context;
  using Arena = cuda::Arena;
  using Convolution = cuda::Convolution<Element>;
  using DepthwiseConvolution = cuda::DepthwiseConvolution<Element>;
  using Linear = cuda::Linear<Element>;
  using FloatLinear = cuda::Linear<Element, float>;
  using Projection = cuda::Projection<Element>;
  using LayerNorm = cuda::LayerNorm<Element>;
  using SpatialAttention = cuda::SpatialAttention<Element>;

  template <std::size_t Rank>
  using In = TensorView<const Element, Rank, Space>;
  template <std::size_t Rank>
  using Out = TensorView<Element, Rank, Space>;

  /// The attention kernels need none.
  static std::size_t attention_scratch_bytes(const Target&, Index, Index, Index, Index) {
    return 0;
  }

  static void attention(Context& context, In<4> q, In<4> k, In<4> v, Out<4> o, float scale) {
    const DeviceScope scope(context.device());
    cuda::attention<Element>(context.stream(), context.traits(), q, k, v, o, scale);
  }
  static void attention(Context& context, In<4> q, In<4> k, In<4> v, Out<4> o,
                        TensorView<float, 3, Space> lse, float scale) {
    const DeviceScope scope(context.device());
    cuda::attention<Element>(context.stream(), context.traits(), q, k, v, o, lse, scale);
  }
  static void match(Context& context, TensorView<const float, 2, Space> blocks,
                    TensorView<const float, 2, Space> panoramas, Out<4> y) {
    const DeviceScope scope(context.device());
    cuda::match<Element>(context.stream(), context.traits(), blocks, panoramas, y);
  }
  static void copy(Context& context, In<4> x, Out<4> y) {
    const DeviceScope scope(context.device());
    cuda::copy<Element>(context.stream(), context.traits(), x, y);
  }
  static void max_pool(Context& context, ops::PoolWindow window, In<4> x, Out<4> y) {
    const DeviceScope scope(context.device());
    cuda::max_pool<Element>(context.stream(), context.traits(), window, x, y);
  }
  static void adaptive_max_pool(Context& context, In<4> x, Out<4> y) {
    const DeviceScope scope(context.device());
    cuda::adaptive_max_pool<Element>(context.stream(), context.traits(), x, y);
  }
  static void load_image(Context& context, TensorView<const std::uint8_t, 3> image,
                         const float (&mean)[3], const float (&std)[3], Out<3> y) {
    context.load_image<Element>(image, mean, std, y);
  }
  static void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                            const ops::GroundViewSpecification& specification,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], Out<4> y) {
    cuda::sample_ground<Element>(context, panorama, specification, poses, mean, std, y);
  }
  static void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                            const camera::BasicCamera<float>& camera,
                            const ops::GroundViewSpecification& specification,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], Out<4> y) {
    cuda::sample_ground<Element>(context, image, camera, specification, poses, mean, std, y);
  }
  static void standardize(Context& context, In<3> x, TensorView<const float, 2> weights, Out<3> y) {
    cuda::standardize<Element>(context, x, weights, y);
  }
  /// The correlation kernel needs none.
  static std::size_t correlate_scratch_bytes(const Target&, const Shape<3>&, const Shape<4>&) {
    return 0;
  }
  static void correlate(Context& context, In<3> tile, In<4> views,
                        TensorView<const float, 2> weights, TensorView<float, 3, Space> scores) {
    cuda::correlate<Element>(context, tile, views, weights, scores);
  }
  static void log_sum_exp(Context& context, TensorView<const float, 2, Space> scores,
                          TensorView<const float, 1, Space> bias, float scale,
                          TensorView<float, 1, Space> of_rows,
                          TensorView<float, 1, Space> of_columns) {
    const DeviceScope scope(context.device());
    cuda::log_sum_exp(context.stream(), context.traits(), scores, bias, scale, of_rows, of_columns);
  }
  static void decode(Context& context, const ops::HeadOutputs<Space>& outputs,
                     const ops::Decoding& decoding) {
    const DeviceScope scope(context.device());
    cuda::decode(context.stream(), context.traits(), outputs, decoding);
  }
  static void round(Context& context, TensorView<const float, 2, Space> x, Out<2> z) {
    const DeviceScope scope(context.device());
    cuda::round<Element>(context.stream(), context.traits(), x, z);
  }
  template <class T>
  static void read(Context& context, TensorView<T, 2, Space> x, float* out) {
    cuda::read<std::remove_const_t<T>>(context, x, out);
  }
  static void write(Context& context, const float* from, TensorView<float, 1, Space> y) {
    expect_contiguous("a view to write", y);
    context.write(y.data(), from, static_cast<std::size_t>(y.size()) * sizeof(float));
  }
};

static_assert(ops::Backend<Backend<float>>);
static_assert(ops::Backend<Backend<bfloat16>>);
static_assert(ops::Backend<Backend<float16>>);

}  // namespace crossfix::cuda
