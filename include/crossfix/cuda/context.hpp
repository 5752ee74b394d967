#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/target.hpp"

namespace crossfix::cuda {

/// How work is run: a target's stream, and the memory that operators share. One thread may use it
/// at a time.
class Context {
 public:
  /// `scratch_bytes`: the largest `scratch_bytes()` of the operators that will use this context.
  /// Throws DeviceError if memory is short.
  Context(const Target& target, std::size_t scratch_bytes);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  /// Waits for work that is still running.
  ~Context();

  const Target& target() const { return target_; }
  const Device& device() const { return target_.device(); }
  const DeviceTraits& traits() const { return target_.traits(); }
  StreamView stream() const { return target_.stream(); }

  /// Scratch memory, 256-byte aligned, with whatever the last operator left in it. Throws
  /// ShapeError if the context was made with less.
  std::byte* scratch(std::size_t bytes);
  std::size_t scratch_bytes() const { return scratch_.size(); }

  /// Host memory that the device copies to. It grows to the largest size requested so far. Throws
  /// DeviceError.
  std::byte* pinned(std::size_t bytes);

  /// Copies `rows` rows of host memory, `stride` bytes apart, to the device without gaps. The copy
  /// is valid for work enqueued on the stream before the next such copy. The host memory may be
  /// reused on return. Throws DeviceError.
  std::byte* upload(const void* host, std::size_t rows, std::size_t row_bytes, std::size_t stride);

  /// Copies host memory to `device` in the order of the stream. The host memory may be reused on
  /// return. Throws DeviceError.
  void write(void* device, const void* host, std::size_t bytes);

  /// Resizes an image (any size; rows may have any stride) to y [height, width, 3] and normalises
  /// it; see `load_images`. Throws ShapeError, DeviceError.
  template <class Element>
  void load_image(TensorView<const std::uint8_t, 3> image, const float (&mean)[3],
                  const float (&std)[3], TensorView<Element, 3, DeviceSpace> y);

 private:
  struct Inputs;
  Inputs& inputs();

  Target target_;
  DeviceBuffer scratch_;
  PinnedBuffer pinned_;
  std::unique_ptr<Inputs> inputs_;
};

extern template void Context::load_image<float>(TensorView<const std::uint8_t, 3>,
                                                const float (&)[3], const float (&)[3],
                                                TensorView<float, 3, DeviceSpace>);
extern template void Context::load_image<bfloat16>(TensorView<const std::uint8_t, 3>,
                                                   const float (&)[3], const float (&)[3],
                                                   TensorView<bfloat16, 3, DeviceSpace>);
extern template void Context::load_image<float16>(TensorView<const std::uint8_t, 3>,
                                                  const float (&)[3], const float (&)[3],
                                                  TensorView<float16, 3, DeviceSpace>);

}  // namespace crossfix::cuda
