#pragma once

#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::cuda {

/// Decodes the heads' raw outputs to a posterior, in the layout of ops/decode.hpp. Reads `logits`
/// and raw `offsets`; writes `probability` = softmax(logits / temperature), the offsets in cells,
/// and `fix`. If several logits are largest, the first is chosen. NaN or +inf among an image's
/// logits makes all its probabilities NaN, and also the covariance and the radius.
///
/// The radius differs by at most 1e-4 cells from the exact one for these probabilities.
///
/// Enqueues one kernel on the stream; does not synchronise and does not allocate. Throws ShapeError
/// for an empty batch or grid, a grid with a side of more than `kDecodeGrid` cells, or a
/// temperature that is not a positive number; DeviceError if the launch fails.
void decode(StreamView stream, const DeviceTraits& device,
            const ops::HeadOutputs<DeviceSpace>& outputs, const ops::Decoding& decoding);

/// Largest side of the grid, cells.
inline constexpr Index kDecodeGrid = 4096;

}  // namespace crossfix::cuda
