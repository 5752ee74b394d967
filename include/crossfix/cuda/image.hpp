#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// One axis of a resampling (ops/resample.hpp), with its table in device memory: output i is the
/// sum over t < count[i] of weights[i * taps + t] * input[first[i] + t].
struct ImageAxis {
  const std::int32_t* first = nullptr;    ///< [outputs]
  const std::int32_t* count = nullptr;    ///< [outputs]
  const std::int32_t* weights = nullptr;  ///< [outputs, taps]
  std::int32_t taps = 0;
};

/// An 8-bit RGB image in device memory and what is needed to resize it. The kernels read this
/// struct from device memory, and their launch does not depend on it. A captured graph of them can
/// therefore process another image, of another size, after the struct is overwritten.
struct ImageSource {
  const std::uint8_t* pixels = nullptr;  ///< [height, width, 3]
  std::int64_t row_stride = 0;           ///< bytes between the starts of rows
  std::int32_t height = 0;
  std::int32_t width = 0;
  ImageAxis rows = {};     ///< from `height` to the output's height
  ImageAxis columns = {};  ///< from `width` to the output's width
  /// Rows resized to the output's width: image_scratch_bytes, 16-byte aligned.
  std::uint8_t* scratch = nullptr;
};

/// Bytes of the tables that resize an image from `source` to `target`, both [height, width]. Throws
/// ShapeError if one is empty.
std::size_t image_table_bytes(const Shape<2>& source, const Shape<2>& target);

/// Bytes of scratch memory that this resize needs.
std::size_t image_scratch_bytes(const Shape<2>& source, const Shape<2>& target);

/// Describes `image` [height, width, 3] for a resize to `target` [height, width]; rows may have any
/// stride, a row has no gaps. Fills `host_tables` (image_table_bytes), which the caller copies to
/// `device_tables` (the same size, 16-byte aligned), and returns the struct, which the caller
/// copies to where the kernels read it. `scratch` is image_scratch_bytes of device memory, 16-byte
/// aligned. Does not access device memory. Throws ShapeError if image, target or the sizes of the
/// spans do not match.
ImageSource describe_image(TensorView<const std::uint8_t, 3, DeviceSpace> image,
                           const Shape<2>& target, std::span<std::byte> host_tables,
                           std::byte* device_tables, std::byte* scratch);

/// Resizes image i of `sources` [batch] to y[i] and normalises it. y [batch, height, width,
/// channels] is (value / 255 - mean) / std in the first three channels and 0 in the others;
/// channels is 3, 4 or 8 (16-bit convolutions are faster with multiples of 4). The 8-bit values are
/// bit-identical to those of the CPU: rows first, rounded to 8 bits, then columns
/// (ops/resample.hpp). y is contiguous and 16-byte aligned. Every source must have been described
/// for y's height and width; the kernels cannot check this.
///
/// Enqueues two kernels on the stream. Their launch depends only on y and the device. Does not
/// synchronise and does not allocate. Throws ShapeError if y or the batch does not match,
/// DeviceError if a launch fails.
template <class Element>
void load_images(StreamView stream, const DeviceTraits& device,
                 TensorView<const ImageSource, 1, DeviceSpace> sources, const float (&mean)[3],
                 const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
