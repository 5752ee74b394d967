#include "crossfix/detail/cuda/image_slot.hpp"

#include <string>

namespace crossfix::cuda {
namespace {

template <MemorySpace Space>
void check_image(const TensorView<const std::uint8_t, 3, Space>& image) {
  if (image.empty() || image.extent(2) != 3) {
    throw ShapeError("an image has shape " + to_string(image.shape()) +
                     ", expected [height, width, 3]");
  }
  if (image.stride(2) != 1 || (image.extent(1) > 1 && image.stride(1) != 3)) {
    throw ShapeError("an image to resize has gaps within its rows");
  }
}

void grow(const Target& target, DeviceBuffer& buffer, std::size_t bytes) {
  if (buffer.size() >= bytes) return;
  buffer = DeviceBuffer();
  buffer = DeviceBuffer(target, bytes);
}

}  // namespace

const ImageSource& ImageSlot::prepare(Staging& staging,
                                      TensorView<const std::uint8_t, 3, DeviceSpace> image) {
  check_image(image);
  const Shape<2> source{image.extent(0), image.extent(1)};
  if (source == source_size_) {
    source_.pixels = image.data();
    source_.row_stride = image.stride(0);
    return source_;
  }
  source_size_ = {};  // invalid until everything is ready
  const std::size_t table_bytes = image_table_bytes(source, size_);
  grow(target_, tables_, table_bytes);
  grow(target_, scratch_, image_scratch_bytes(source, size_));
  host_tables_.resize(table_bytes);
  source_ = describe_image(image, size_, host_tables_, tables_.data(), scratch_.data());
  staging.copy(tables_.data(), host_tables_.data(), table_bytes);
  source_size_ = source;
  return source_;
}

const ImageSource& ImageSlot::prepare(Staging& staging,
                                      TensorView<const std::uint8_t, 3, HostSpace> image) {
  check_image(image);
  const auto rows = static_cast<std::size_t>(image.extent(0));
  const auto row_bytes = static_cast<std::size_t>(3 * image.extent(1));
  if (pixels_.size() < rows * row_bytes) source_size_ = {};
  grow(target_, pixels_, rows * row_bytes);
  staging.copy(pixels_.data(), image.data(), rows, row_bytes,
               static_cast<std::size_t>(image.stride(0)));
  return prepare(staging,
                 TensorView<const std::uint8_t, 3, DeviceSpace>(
                     reinterpret_cast<const std::uint8_t*>(pixels_.data()), image.shape()));
}

}  // namespace crossfix::cuda
