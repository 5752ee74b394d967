#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/buffer.hpp"
#include "crossfix/cuda/target.hpp"

namespace crossfix::cuda {

/// How work is run: a target's stream, and the memory that operators share. Used by one thread at a
/// time.
class Context {
 public:
  /// `scratch_bytes`: the largest `scratch_bytes()` of the operators that will run in it. Throws
  /// DeviceError where memory is short.
  Context(const Target& target, std::size_t scratch_bytes);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  /// Waits for the work under way.
  ~Context();

  const Target& target() const { return target_; }
  const Device& device() const { return target_.device(); }
  const DeviceTraits& traits() const { return target_.traits(); }
  StreamView stream() const { return target_.stream(); }

  /// Scratch memory, 256-byte aligned, holding whatever the last operator left. Throws ShapeError
  /// where the context was made with less.
  std::byte* scratch(std::size_t bytes);
  std::size_t scratch_bytes() const { return scratch_.size(); }

  /// Host memory that the device copies to; grows to the largest ever asked for. Throws
  /// DeviceError.
  std::byte* pinned(std::size_t bytes);

  /// A copy of `rows` rows of host memory, `stride` bytes apart, without gaps on the device: valid
  /// for work handed to the stream before the next such copy. The host memory is free on return.
  /// Throws DeviceError.
  std::byte* upload(const void* host, std::size_t rows, std::size_t row_bytes, std::size_t stride);

  /// Copies host memory, free on return, to `device` in the order of the stream. Throws
  /// DeviceError.
  void write(void* device, const void* host, std::size_t bytes);

  /// Resizes an image (of any size, rows anywhere) to y [height, width, 3] and normalises it; see
  /// `load_images`. Throws ShapeError, DeviceError.
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
