#include <limits>

#include "crossfix/cuda/descriptor.hpp"
#include "crossfix/kernels/descriptor/descriptor.cuh"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/ops/checks.hpp"

namespace crossfix::cuda {

using namespace kernels;

template <class Element>
void spatial_attention(StreamView stream, const DeviceTraits&,
                       const ops::SpatialAttentionSpecification& specification,
                       TensorView<const Element, 4, DeviceSpace> x,
                       TensorView<const float, 3, DeviceSpace> weights,
                       TensorView<const float, 2, DeviceSpace> bias,
                       TensorView<float, 2, DeviceSpace> y) {
  const Index positions = specification.positions();
  const Index heads = specification.heads;
  ops::check_spatial_attention_call(specification, x, y);
  expect_shape("spatial attention weights", weights.shape(), {heads, positions, positions});
  expect_shape("spatial attention bias", bias.shape(), {heads, positions});
  const std::size_t shared = described_shared_bytes(positions, heads);
  if (shared > device::kUnaskedSharedBytes || y.size() > std::numeric_limits<int>::max()) {
    throw ShapeError("spatial attention of " + std::to_string(heads) + " heads over " +
                     std::to_string(positions) + " positions, descriptors " + to_string(y.shape()) +
                     ", is larger than the kernel takes");
  }
  if (y.empty()) return;
  using Summary = ops::SpatialAttentionSpecification::Summary;
  const DescribedBlocks<Element> parameters{
      .x = x.data(),
      .weights = weights.data(),
      .bias = bias.data(),
      .y = y.data(),
      .y_stride = y.stride(0),
      .height = static_cast<int>(x.extent(1)),
      .width = static_cast<int>(x.extent(2)),
      .channels = static_cast<int>(x.extent(3)),
      .rows = static_cast<int>(specification.rows),
      .cols = static_cast<int>(specification.cols),
      .heads = static_cast<int>(heads),
      .maximum = specification.summary == Summary::maximum,
      .normalized = specification.normalized,
      .shortest = static_cast<float>(ops::kShortestDescriptor)};
  device::launch(stream, {dim3(static_cast<unsigned>(y.extent(0))), kDescriptorThreads, shared},
                 "spatial_attention", describe_blocks<Element>, parameters);
}

template <class Element>
void match(StreamView stream, const DeviceTraits&, TensorView<const float, 2, DeviceSpace> blocks,
           TensorView<const float, 2, DeviceSpace> panoramas,
           TensorView<Element, 4, DeviceSpace> y) {
  ops::check_match(blocks, panoramas, y);
  if (y.size() > std::numeric_limits<int>::max()) {
    throw ShapeError("matched blocks of shape " + to_string(y.shape()) +
                     "; less than 2^31 elements are expected");
  }
  if (y.empty()) return;
  device::launch(
      stream,
      {dim3(static_cast<unsigned>(blocks.extent(0))), kDescriptorThreads, kWarp * sizeof(float)},
      "match", match_blocks<Element>, blocks.data(), panoramas.data(), y.data(),
      static_cast<int>(blocks.extent(1)), static_cast<int>(y.extent(3)),
      static_cast<int>(y.extent(1) * y.extent(2)));
}

template void spatial_attention(StreamView, const DeviceTraits&,
                                const ops::SpatialAttentionSpecification&,
                                TensorView<const float, 4, DeviceSpace>,
                                TensorView<const float, 3, DeviceSpace>,
                                TensorView<const float, 2, DeviceSpace>,
                                TensorView<float, 2, DeviceSpace>);
template void match(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<const float, 2, DeviceSpace>, TensorView<float, 4, DeviceSpace>);
template void spatial_attention(StreamView, const DeviceTraits&,
                                const ops::SpatialAttentionSpecification&,
                                TensorView<const bfloat16, 4, DeviceSpace>,
                                TensorView<const float, 3, DeviceSpace>,
                                TensorView<const float, 2, DeviceSpace>,
                                TensorView<float, 2, DeviceSpace>);
template void match(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<const float, 2, DeviceSpace>, TensorView<bfloat16, 4, DeviceSpace>);
template void spatial_attention(StreamView, const DeviceTraits&,
                                const ops::SpatialAttentionSpecification&,
                                TensorView<const float16, 4, DeviceSpace>,
                                TensorView<const float, 3, DeviceSpace>,
                                TensorView<const float, 2, DeviceSpace>,
                                TensorView<float, 2, DeviceSpace>);
template void match(StreamView, const DeviceTraits&, TensorView<const float, 2, DeviceSpace>,
                    TensorView<const float, 2, DeviceSpace>, TensorView<float16, 4, DeviceSpace>);

}  // namespace crossfix::cuda
