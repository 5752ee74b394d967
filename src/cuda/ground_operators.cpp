#include "crossfix/cuda/ground_operators.hpp"

#include "crossfix/cuda/ground.hpp"

namespace crossfix::cuda {
namespace {

TensorView<const float, 2, DeviceSpace> upload_weights(Context& context,
                                                       const TensorView<const float, 2>& weights) {
  const auto bytes = static_cast<std::size_t>(weights.size()) * sizeof(float);
  return {reinterpret_cast<const float*>(context.upload(weights.data(), 1, bytes, bytes)),
          weights.shape()};
}

TensorView<const std::uint8_t, 3, DeviceSpace> upload_image(
    Context& context, const TensorView<const std::uint8_t, 3>& image) {
  const auto rows = static_cast<std::size_t>(image.extent(0));
  const auto row_bytes = static_cast<std::size_t>(3 * image.extent(1));
  const std::byte* pixels =
      context.upload(image.data(), rows, row_bytes, static_cast<std::size_t>(image.stride(0)));
  return {reinterpret_cast<const std::uint8_t*>(pixels), image.shape()};
}

}  // namespace

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> panorama,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y) {
  ops::check_ground_views(panorama, specification, poses, y);
  const DeviceScope scope(context.device());
  sample_ground<Element>(context.stream(), context.traits(), upload_image(context, panorama),
                         specification, poses, mean, std, y);
}

template <class Element>
void sample_ground(Context& context, TensorView<const std::uint8_t, 3> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& specification,
                   std::span<const ops::CameraPose> poses, const float (&mean)[3],
                   const float (&std)[3], TensorView<Element, 4, DeviceSpace> y) {
  ops::check_ground_views(image, camera, specification, poses, y);
  const DeviceScope scope(context.device());
  sample_ground<Element>(context.stream(), context.traits(), upload_image(context, image), camera,
                         specification, poses, mean, std, y);
}

template <class Element>
void standardize(Context& context, TensorView<const Element, 3, DeviceSpace> x,
                 TensorView<const float, 2> weights, TensorView<Element, 3, DeviceSpace> y) {
  ops::check_standardize(x, weights, y);
  const DeviceScope scope(context.device());
  standardize<Element>(context.stream(), context.traits(), x, upload_weights(context, weights), y);
}

template <class Element>
void correlate(Context& context, TensorView<const Element, 3, DeviceSpace> tile,
               TensorView<const Element, 4, DeviceSpace> views, TensorView<const float, 2> weights,
               TensorView<float, 3, DeviceSpace> scores) {
  ops::check_correlation(tile, views, weights, scores);
  const DeviceScope scope(context.device());
  correlate<Element>(context.stream(), context.traits(), tile, views,
                     upload_weights(context, weights), scores);
}

#define CROSSFIX_GROUND(Element)                                                                 \
  template void sample_ground(Context&, TensorView<const std::uint8_t, 3>,                       \
                              const ops::GroundViewSpecification&,                               \
                              std::span<const ops::CameraPose>, const float(&)[3],               \
                              const float(&)[3], TensorView<Element, 4, DeviceSpace>);           \
  template void sample_ground(                                                                   \
      Context&, TensorView<const std::uint8_t, 3>, const camera::BasicCamera<float>&,            \
      const ops::GroundViewSpecification&, std::span<const ops::CameraPose>, const float(&)[3],  \
      const float(&)[3], TensorView<Element, 4, DeviceSpace>);                                   \
  template void standardize(Context&, TensorView<const Element, 3, DeviceSpace>,                 \
                            TensorView<const float, 2>, TensorView<Element, 3, DeviceSpace>);    \
  template void correlate(Context&, TensorView<const Element, 3, DeviceSpace>,                   \
                          TensorView<const Element, 4, DeviceSpace>, TensorView<const float, 2>, \
                          TensorView<float, 3, DeviceSpace>);
CROSSFIX_GROUND(float)
CROSSFIX_GROUND(bfloat16)
CROSSFIX_GROUND(float16)
#undef CROSSFIX_GROUND

}  // namespace crossfix::cuda
