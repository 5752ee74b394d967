#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/image.hpp"
#include "crossfix/detail/cuda/staging.hpp"

namespace crossfix::cuda {

/// What resizing one image at a time needs on the device: its pixels where they come from the host,
/// the tables for its size, scratch memory. Kept from image to image; a size like the one before
/// allocates and computes nothing.
class ImageSlot {
 public:
  /// For images to be resized to `size` [height, width].
  ImageSlot(const Target& target, const Shape<2>& size) : target_(target), size_(size) {}

  /// Describes `image` [height, width, 3], rows anywhere, a row without gaps, for `load_images`;
  /// valid until the next image, in the order of the target's stream. Throws ShapeError for what is
  /// no such image, DeviceError where memory is short.
  const ImageSource& prepare(Staging& staging,
                             TensorView<const std::uint8_t, 3, DeviceSpace> image);

  /// The same of an image in host memory, whose pixels are copied before this returns.
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
