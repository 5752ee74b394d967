#include <algorithm>
#include <limits>

#include "crossfix/core/math.hpp"
#include "crossfix/kernels/device/checks.hpp"
#include "crossfix/kernels/device/launch.cuh"
#include "crossfix/kernels/image/load_image.cuh"

namespace crossfix::cuda {
namespace {

using namespace kernels;

/// Number of blocks of each kernel that a multiprocessor runs concurrently.
constexpr Index kImageBlocks = 8;
/// Largest number of blocks along the second and third axis of a grid.
constexpr Index kMostBlocks = 65535;
/// Longest side of an image, pixels: bytes of a row are counted in 32 bits.
constexpr Index kLongestSide = std::numeric_limits<std::int32_t>::max() / 8;

constexpr std::size_t kImageAlignment = 16;

std::size_t padded(std::size_t bytes) { return round_up_to(bytes, kImageAlignment); }

void check_sides(const Shape<2>& source, const Shape<2>& target) {
  for (const Index side : {source[0], source[1], target[0], target[1]}) {
    if (side < 1 || side > kLongestSide) {
      throw ShapeError("cannot resize an image of shape " + to_string(source) + " to " +
                       to_string(target) + "; sides of 1 to " + std::to_string(kLongestSide) +
                       " are expected");
    }
  }
}

/// The number of taps is computed as in ops::resample_table.
std::size_t axis_bytes(Index inputs, Index outputs) {
  const Index radius = std::max<Index>(ceil_div(inputs, outputs), 1);
  const auto words = static_cast<std::size_t>(outputs * (2 * radius + 1 + 2));
  return padded(words * sizeof(std::int32_t));
}

/// Writes the table of one axis: first, count, weights, at byte offset `begin` of both copies.
ImageAxis describe_axis(Index inputs, Index outputs, std::span<std::byte> host_tables,
                        std::byte* device_tables, std::size_t begin) {
  const ops::ResampleTable table = ops::resample_table(inputs, outputs);
  const auto count = static_cast<std::size_t>(outputs);
  auto* words = reinterpret_cast<std::int32_t*>(host_tables.data() + begin);
  const auto narrowed = [](Index value) { return static_cast<std::int32_t>(value); };
  std::transform(table.first.begin(), table.first.end(), words, narrowed);
  std::transform(table.count.begin(), table.count.end(), words + count, narrowed);
  std::copy(table.weights.begin(), table.weights.end(), words + 2 * count);
  const auto* on_device = reinterpret_cast<const std::int32_t*>(device_tables + begin);
  return {.first = on_device,
          .count = on_device + count,
          .weights = on_device + 2 * count,
          .taps = narrowed(table.taps)};
}

}  // namespace

std::size_t image_table_bytes(const Shape<2>& source, const Shape<2>& target) {
  check_sides(source, target);
  return axis_bytes(source[0], target[0]) + axis_bytes(source[1], target[1]);
}

std::size_t image_scratch_bytes(const Shape<2>& source, const Shape<2>& target) {
  check_sides(source, target);
  return static_cast<std::size_t>(source[0] * image_scratch_stride(target[1]));
}

ImageSource describe_image(TensorView<const std::uint8_t, 3, DeviceSpace> image,
                           const Shape<2>& target, std::span<std::byte> host_tables,
                           std::byte* device_tables, std::byte* scratch) {
  const Shape<2> source{image.extent(0), image.extent(1)};
  expect_shape("an image to resize", image.shape(), {source[0], source[1], Index{kImageChannels}});
  if (image.stride(2) != 1 || (source[1] > 1 && image.stride(1) != kImageChannels)) {
    throw ShapeError("an image to resize has gaps within its rows");
  }
  const std::size_t bytes = image_table_bytes(source, target);
  if (host_tables.size() < bytes) {
    throw ShapeError("tables of " + std::to_string(host_tables.size()) + " bytes for an image of " +
                     to_string(source) + " to " + to_string(target) + "; " + std::to_string(bytes) +
                     " are expected");
  }
  for (const std::byte* memory : {host_tables.data(), device_tables, scratch}) {
    if (!device::aligned(memory, kImageAlignment)) {
      throw ShapeError("tables and scratch memory of a resize must be 16-byte aligned");
    }
  }
  return {.pixels = image.data(),
          .row_stride = image.stride(0),
          .height = static_cast<std::int32_t>(source[0]),
          .width = static_cast<std::int32_t>(source[1]),
          .rows = describe_axis(source[0], target[0], host_tables, device_tables, 0),
          .columns = describe_axis(source[1], target[1], host_tables, device_tables,
                                   axis_bytes(source[0], target[0])),
          .scratch = reinterpret_cast<std::uint8_t*>(scratch)};
}

template <class Element>
void load_images(StreamView stream, const DeviceTraits& device,
                 TensorView<const ImageSource, 1, DeviceSpace> sources, const float (&mean)[3],
                 const float (&std)[3], TensorView<Element, 4, DeviceSpace> y) {
  const Index batch = sources.extent(0);
  const Index height = y.extent(1);
  const Index width = y.extent(2);
  const Index channels = y.extent(3);
  expect_shape("loaded images", y.shape(), {batch, height, width, channels});
  expect_contiguous("loaded images", y);
  expect_contiguous("images to load", sources);
  if (channels != 3 && channels != 4 && channels != 8) {
    throw ShapeError("loaded images have " + std::to_string(channels) +
                     " channels, expected 3, 4 or 8");
  }
  if (!device::aligned(y.data(), kImageAlignment)) {
    throw ShapeError("loaded images must be 16-byte aligned");
  }
  if (batch > kMostBlocks || height > kLongestSide || width > kLongestSide) {
    throw ShapeError("loaded images have shape " + to_string(y.shape()) + "; at most " +
                     std::to_string(kMostBlocks) + " are expected at a time");
  }
  if (y.empty()) return;
  const auto grid = [&](Index across, Index rows) {
    const Index columns = ceil_div<Index>(across, kImageThreads);
    const Index resident = ceil_div(kImageBlocks * device.multiprocessors, columns * batch);
    return dim3(static_cast<unsigned>(columns),
                static_cast<unsigned>(std::clamp<Index>(resident, 1, std::min(rows, kMostBlocks))),
                static_cast<unsigned>(batch));
  };
  // The heights of the images are not known here: blocks that find no row end at once.
  device::launch(stream, {grid(width, kMostBlocks), kImageThreads, 0}, "load_images", narrow_rows,
                 sources.data(), static_cast<int>(width));

  const ImageNorm norm{{mean[0], mean[1], mean[2]}, {std[0], std[1], std[2]}};
  const auto normalise = channels == 3   ? normalise_columns<Element, 3>
                         : channels == 4 ? normalise_columns<Element, 4>
                                         : normalise_columns<Element, 8>;
  const Index groups = ceil_div<Index>(width, kImageGroup);
  device::launch(stream, {grid(groups, height), kImageThreads, 0}, "load_images", normalise,
                 sources.data(), norm, y.data(), static_cast<int>(height), static_cast<int>(width));
}

template void load_images(StreamView, const DeviceTraits&,
                          TensorView<const ImageSource, 1, DeviceSpace>, const float (&)[3],
                          const float (&)[3], TensorView<float, 4, DeviceSpace>);
template void load_images(StreamView, const DeviceTraits&,
                          TensorView<const ImageSource, 1, DeviceSpace>, const float (&)[3],
                          const float (&)[3], TensorView<bfloat16, 4, DeviceSpace>);
template void load_images(StreamView, const DeviceTraits&,
                          TensorView<const ImageSource, 1, DeviceSpace>, const float (&)[3],
                          const float (&)[3], TensorView<float16, 4, DeviceSpace>);

}  // namespace crossfix::cuda
