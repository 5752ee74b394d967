#include <limits>
#include <string>
#include <type_traits>

#include "crossfix/core/math.hpp"
#include "crossfix/cuda/ground.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/ground/correlate.cuh"
#include "crossfix/kernels/ground/ground.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

constexpr Index kMost = std::numeric_limits<int>::max();
/// Largest side and number of channels, so that their sums and small multiples fit an int.
constexpr Index kLongest = kMost / 8;

/// Throws ShapeError unless every extent fits an int.
template <std::size_t Rank>
void expect_ints(const char* what, const Shape<Rank>& shape) {
  for (const Index extent : shape) {
    if (extent > kLongest) {
      throw ShapeError(std::string(what) + " has shape " + to_string(shape) +
                       "; extents up to 2^28 are expected");
    }
  }
}

/// Throws ShapeError unless a view's pixels count as an int.
void expect_view_fits(const ops::GroundViewSpecification& spec) {
  if (spec.side > kMost / 2 / spec.side) {
    throw ShapeError("a view of the ground of side " + std::to_string(spec.side) +
                     "; at most 2^30 pixels are expected");
  }
}

}  // namespace

template <class Element>
void sample_ground(StreamView stream, const DeviceTraits&,
                   TensorView<const std::uint8_t, 3, DeviceSpace> panorama,
                   const ops::GroundViewSpecification& spec, std::span<const ops::CameraPose> poses,
                   const float (&mean)[3], const float (&std)[3],
                   TensorView<Element, 4, DeviceSpace> y) {
  ops::check_ground_views(panorama, spec, poses, y);
  expect_ints("a panorama", panorama.shape());
  expect_view_fits(spec);
  GroundView<Element> view{.panorama = panorama.data(),
                           .row_stride = panorama.stride(0),
                           .height = static_cast<int>(panorama.extent(0)),
                           .width = static_cast<int>(panorama.extent(1)),
                           .side = static_cast<int>(spec.side),
                           .metres_per_pixel = spec.metres_per_pixel,
                           .camera_height = 0,
                           .heading_degrees = 0,
                           .mean = {mean[0], mean[1], mean[2]},
                           .std = {std[0], std[1], std[2]},
                           .y = y.data()};
  const Index blocks = ceil_div<Index>(spec.side * spec.side, kGroundThreads);
  for (const ops::CameraPose& pose : poses) {
    view.camera_height = pose.height;
    view.heading_degrees = pose.heading_degrees;
    device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kGroundThreads, 0},
                   "sample_ground", sample_ground_pixels<Element>, view);
    view.y += y.stride(0);
  }
}

template <class Element>
void sample_ground(StreamView stream, const DeviceTraits&,
                   TensorView<const std::uint8_t, 3, DeviceSpace> image,
                   const camera::BasicCamera<float>& camera,
                   const ops::GroundViewSpecification& spec, std::span<const ops::CameraPose> poses,
                   const float (&mean)[3], const float (&std)[3],
                   TensorView<Element, 4, DeviceSpace> y) {
  ops::check_ground_views(image, camera, spec, poses, y);
  expect_ints("an image", image.shape());
  expect_view_fits(spec);
  const Index blocks = ceil_div<Index>(spec.side * spec.side, kGroundThreads);
  Element* view_y = y.data();
  for (const ops::CameraPose& pose : poses) {
    const CameraView<Element> view{.camera = ops::PosedCamera(camera, pose),
                                   .image = image.data(),
                                   .row_stride = image.stride(0),
                                   .height = image.extent(0),
                                   .width = image.extent(1),
                                   .wraps = camera.wraps(),
                                   .side = static_cast<int>(spec.side),
                                   .metres_per_pixel = spec.metres_per_pixel,
                                   .mean = {mean[0], mean[1], mean[2]},
                                   .std = {std[0], std[1], std[2]},
                                   .y = view_y};
    device::launch(stream, {dim3(static_cast<unsigned>(blocks)), kGroundThreads, 0},
                   "sample_ground", sample_camera_pixels<Element>, view);
    view_y += y.stride(0);
  }
}

template <class Element>
void standardize(StreamView stream, const DeviceTraits&,
                 TensorView<const Element, 3, DeviceSpace> x,
                 TensorView<const float, 2, DeviceSpace> weights,
                 TensorView<Element, 3, DeviceSpace> y) {
  ops::check_standardize_shapes(x, weights, y);
  const Index positions = weights.size();
  if (positions > kLongest || x.extent(2) > kLongest) {
    throw ShapeError("features of shape " + to_string(x.shape()) +
                     " to standardize; at most 2^28 positions and channels are expected");
  }
  if (x.empty()) return;
  const Standardize<Element> s{.x = x.data(),
                               .weights = weights.data(),
                               .y = y.data(),
                               .positions = static_cast<int>(positions),
                               .channels = static_cast<int>(x.extent(2))};
  constexpr int kWidth = device::kVectorElements<Element>;
  const auto aligned = [](const void* p) { return device::aligned(p, device::kVectorBytes); };
  const auto run = [&]<int kChannels>(std::integral_constant<int, kChannels>) {
    device::launch(stream,
                   {dim3(static_cast<unsigned>(s.channels / kChannels)), kStandardizeThreads,
                    kStandardizeSharedBytes<kChannels>},
                   "standardize", standardize_channels<Element, kChannels>, s);
  };
  if (s.channels % kWidth == 0 && aligned(x.data()) && aligned(y.data())) {
    run(std::integral_constant<int, kWidth>());
  } else {
    run(std::integral_constant<int, 1>());
  }
}

template <class Element>
void correlate(StreamView stream, const DeviceTraits&,
               TensorView<const Element, 3, DeviceSpace> tile,
               TensorView<const Element, 4, DeviceSpace> views,
               TensorView<const float, 2, DeviceSpace> weights,
               TensorView<float, 3, DeviceSpace> scores) {
  ops::check_correlation_shapes(tile, views, weights, scores);
  expect_ints("a tile", tile.shape());
  expect_ints("views", views.shape());
  const Index across = ceil_div<Index>(tile.extent(1), kPatchColumns);
  const Index patches = across * ceil_div<Index>(tile.extent(0), kPatchRows);
  if (patches > kMost / views.extent(0)) {
    throw ShapeError("views of shape " + to_string(views.shape()) + " over a tile of shape " +
                     to_string(tile.shape()) + "; at most 2^31 blocks of shifts are expected");
  }
  const Correlate<Element> c{.tile = tile.data(),
                             .views = views.data(),
                             .weights = weights.data(),
                             .scores = scores.data(),
                             .height = static_cast<int>(tile.extent(0)),
                             .width = static_cast<int>(tile.extent(1)),
                             .channels = static_cast<int>(tile.extent(2)),
                             .h = static_cast<int>(views.extent(1)),
                             .w = static_cast<int>(views.extent(2)),
                             .patches = static_cast<int>(patches),
                             .patches_across = static_cast<int>(across)};
  const bool vectors = tile.extent(2) % kChunk == 0 &&
                       device::aligned(tile.data(), kChunk * sizeof(Element)) &&
                       device::aligned(views.data(), kChunk * sizeof(Element));
  device::launch(stream,
                 {dim3(static_cast<unsigned>(patches * views.extent(0))), kCorrelateThreads,
                  sizeof(CorrelateShared)},
                 "correlate",
                 vectors ? correlate_patch<Element, true> : correlate_patch<Element, false>, c);
}

#define CROSSFIX_GROUND(Element)                                                                \
  template void sample_ground(                                                                  \
      StreamView, const DeviceTraits&, TensorView<const std::uint8_t, 3, DeviceSpace>,          \
      const ops::GroundViewSpecification&, std::span<const ops::CameraPose>, const float(&)[3], \
      const float(&)[3], TensorView<Element, 4, DeviceSpace>);                                  \
  template void sample_ground(                                                                  \
      StreamView, const DeviceTraits&, TensorView<const std::uint8_t, 3, DeviceSpace>,          \
      const camera::BasicCamera<float>&, const ops::GroundViewSpecification&,                   \
      std::span<const ops::CameraPose>, const float(&)[3], const float(&)[3],                   \
      TensorView<Element, 4, DeviceSpace>);                                                     \
  template void standardize(                                                                    \
      StreamView, const DeviceTraits&, TensorView<const Element, 3, DeviceSpace>,               \
      TensorView<const float, 2, DeviceSpace>, TensorView<Element, 3, DeviceSpace>);            \
  template void correlate(                                                                      \
      StreamView, const DeviceTraits&, TensorView<const Element, 3, DeviceSpace>,               \
      TensorView<const Element, 4, DeviceSpace>, TensorView<const float, 2, DeviceSpace>,       \
      TensorView<float, 3, DeviceSpace>);
CROSSFIX_GROUND(float)
CROSSFIX_GROUND(bfloat16)
CROSSFIX_GROUND(float16)
#undef CROSSFIX_GROUND

}  // namespace crossfix::cuda
