#include "crossfix/cuda/context.hpp"

#include <algorithm>
#include <vector>

#include "crossfix/cuda/image.hpp"
#include "crossfix/detail/cuda/image_slot.hpp"
#include "crossfix/detail/cuda/staging.hpp"
#include "crossfix/ops/checks.hpp"
#include "status.hpp"

namespace crossfix::cuda {

/// Created for the first input from host memory. It has one slot per size that images are resized
/// to.
struct Context::Inputs {
  explicit Inputs(const Target& target) : staging(target), source(target, sizeof(ImageSource)) {}

  ImageSlot& slot(const Target& target, const Shape<2>& size) {
    const auto found = std::ranges::find(slots, size, &ImageSlot::size);
    return found != slots.end() ? *found : slots.emplace_back(target, size);
  }

  Staging staging;
  DeviceBuffer source;  // the ImageSource of the current image
  std::vector<ImageSlot> slots;
  DeviceBuffer uploaded;  // the data that `upload` copied last
};

Context::Context(const Target& target, std::size_t scratch_bytes)
    : target_(target), scratch_(target, scratch_bytes) {}

Context::~Context() { static_cast<void>(cudaStreamSynchronize(stream().get())); }

std::byte* Context::scratch(std::size_t bytes) {
  ops::check_scratch(bytes, scratch_bytes());
  return scratch_.data();
}

std::byte* Context::pinned(std::size_t bytes) {
  if (pinned_.size() < bytes) {
    target_.synchronize();  // the device may still copy to the memory that is freed
    pinned_ = PinnedBuffer();
    pinned_ = PinnedBuffer(device(), bytes);
  }
  return pinned_.data();
}

Context::Inputs& Context::inputs() {
  if (inputs_ == nullptr) inputs_ = std::make_unique<Inputs>(target_);
  return *inputs_;
}

std::byte* Context::upload(const void* host, std::size_t rows, std::size_t row_bytes,
                           std::size_t stride) {
  const DeviceScope scope(device());
  DeviceBuffer& buffer = inputs().uploaded;
  if (buffer.size() < rows * row_bytes) {
    buffer = DeviceBuffer();
    buffer = DeviceBuffer(target_, rows * row_bytes);
  }
  inputs().staging.copy(buffer.data(), host, rows, row_bytes, stride);
  return buffer.data();
}

void Context::write(void* to, const void* host, std::size_t bytes) {
  const DeviceScope scope(device());
  inputs().staging.copy(static_cast<std::byte*>(to), host, bytes);
}

template <class Element>
void Context::load_image(TensorView<const std::uint8_t, 3> image, const float (&mean)[3],
                         const float (&std)[3], TensorView<Element, 3, DeviceSpace> y) {
  const DeviceScope scope(device());
  Inputs& in = inputs();
  const ImageSource& source =
      in.slot(target_, {y.extent(0), y.extent(1)}).prepare(in.staging, image);
  in.staging.copy(in.source.data(), &source, sizeof(source));
  const TensorView<const ImageSource, 1, DeviceSpace> sources(
      reinterpret_cast<const ImageSource*>(in.source.data()), {1});
  load_images<Element>(stream(), traits(), sources, mean, std,
                       y.template reshape<4>({1, y.extent(0), y.extent(1), y.extent(2)}));
}

template void Context::load_image<float>(TensorView<const std::uint8_t, 3>, const float (&)[3],
                                         const float (&)[3], TensorView<float, 3, DeviceSpace>);
template void Context::load_image<bfloat16>(TensorView<const std::uint8_t, 3>, const float (&)[3],
                                            const float (&)[3],
                                            TensorView<bfloat16, 3, DeviceSpace>);
template void Context::load_image<float16>(TensorView<const std::uint8_t, 3>, const float (&)[3],
                                           const float (&)[3], TensorView<float16, 3, DeviceSpace>);

}  // namespace crossfix::cuda
