#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/image.hpp"
#include "crossfix/detail/cuda/staging.hpp"

namespace crossfix::cuda {

/// What is needed on the device to resize one image at a time: its pixels if they come from the
/// host, the tables for its size, and scratch memory. All are kept for the next image. An image of
/// the same size as the previous one causes no allocation and no new tables.
class ImageSlot {
 public:
  /// For images that are resized to `size` [height, width].
  ImageSlot(const Target& target, const Shape<2>& size) : target_(target), size_(size) {}

  /// Describes `image` [height, width, 3] for `load_images`; rows may have any stride, a row has no
  /// gaps. The result is valid until the next image, in the order of the target's stream. Throws
  /// ShapeError if the image has another shape, DeviceError if memory is short.
  const ImageSource& prepare(Staging& staging,
                             TensorView<const std::uint8_t, 3, DeviceSpace> image);

  /// The same for an image in host memory. Its pixels are copied before the call returns.
  const ImageSource& prepare(Staging& staging, TensorView<const std::uint8_t, 3, HostSpace> image);

  const Shape<2>& size() const { return size_; }

 private:
  Target target_;
  Shape<2> size_;
  Shape<2> source_size_{};  // what the tables are for
  ImageSource source_;
  std::vector<std::byte> host_tables_;
  DeviceBuffer pixels_;
  DeviceBuffer tables_;
  DeviceBuffer scratch_;
};

}  // namespace crossfix::cuda
