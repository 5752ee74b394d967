#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// One axis of a resampling (ops/resample.hpp), its table in device memory: output i is the sum
/// over t < count[i] of weights[i * taps + t] * input[first[i] + t].
struct ImageAxis {
  const std::int32_t* first = nullptr;    ///< [outputs]
  const std::int32_t* count = nullptr;    ///< [outputs]
  const std::int32_t* weights = nullptr;  ///< [outputs, taps]
  std::int32_t taps = 0;
};

/// An 8-bit RGB image in device memory and what resizing it needs. The kernels read this struct
/// from device memory, and their launch does not depend on it: a captured graph of them takes
/// another image, of another size, when the struct is overwritten.
struct ImageSource {
  const std::uint8_t* pixels = nullptr;  ///< [height, width, 3]
  std::int64_t row_stride = 0;           ///< bytes from a row to the next
  std::int32_t height = 0;
  std::int32_t width = 0;
  ImageAxis rows;                   ///< from `height` to the output's height
  ImageAxis columns;                ///< from `width` to the output's width
  std::uint8_t* scratch = nullptr;  ///< image_scratch_bytes, 16-byte aligned: rows already narrowed
};

/// Bytes of the tables that take an image [height, width] to another. Throws ShapeError where one
/// is empty.
std::size_t image_table_bytes(const Shape<2>& source, const Shape<2>& target);

/// Bytes of scratch memory that resizing [height, width] to another takes.
std::size_t image_scratch_bytes(const Shape<2>& source, const Shape<2>& target);

/// Describes `image` [height, width, 3], rows anywhere, a row without gaps, for a resize to
/// `target` [height, width]: fills `host_tables` (image_table_bytes), which the caller copies to
/// `device_tables` (as many bytes, 16-byte aligned), and the struct, which the caller copies to
/// where the kernels read it. `scratch`: image_scratch_bytes of device memory, 16-byte aligned.
/// Touches no device memory. Throws ShapeError where image, target or the spans' sizes do not fit.
ImageSource describe_image(TensorView<const std::uint8_t, 3, DeviceSpace> image,
                           const Shape<2>& target, std::span<std::byte> host_tables,
                           std::byte* device_tables, std::byte* scratch);

/// Resizes image i of `sources` [batch] to y[i] and normalises it: y [batch, height, width,
/// channels] is (value / 255 - mean) / std in the first three channels and 0 in the others;
/// channels 3, 4 or 8 (16-bit convolutions like multiples of 4). The 8-bit values are those of the
/// CPU to the bit: rows first, rounded to 8 bits, then columns (ops/resample.hpp). y is contiguous
/// and 16-byte aligned. Every source must have been described for y's height and width: the kernels
/// cannot tell.
///
/// Hands two kernels to the stream, whose shapes depend on y and the device alone; does not wait
/// for them, allocates nothing. Throws ShapeError where y or the batch does not fit, DeviceError
/// where a launch is refused.
template <class Element>
void load_images(StreamView stream, const DeviceTraits& device,
                 TensorView<const ImageSource, 1, DeviceSpace> sources, const float (&mean)[3],
                 const float (&std)[3], TensorView<Element, 4, DeviceSpace> y);

}  // namespace crossfix::cuda
