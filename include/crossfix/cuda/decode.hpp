#pragma once

#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::cuda {

/// The heads' raw outputs to a posterior, as ops/decode.hpp lays them out: reads `logits` and raw
/// `offsets`, writes `probability` = softmax(logits / temperature), the offsets after the sigmoid,
/// and `fix`. The first largest logit wins. A NaN among an image's logits, or one of +inf, makes
/// all its probabilities NaN, and with them the covariance and the radius.
///
/// The radius is within 1e-4 cells of the exact one of these probabilities.
///
/// Hands one kernel to the stream; does not wait for it, allocates nothing. Throws ShapeError for a
/// batch or a grid of none, a grid of more than `kDecodeGrid` cells a side and a temperature that
/// is not a positive number, DeviceError where the launch is refused.
void decode(StreamView stream, const DeviceTraits& device,
            const ops::HeadOutputs<DeviceSpace>& outputs, const ops::Decoding& decoding);

/// Cells along a side of the grid, at most.
inline constexpr Index kDecodeGrid = 4096;

}  // namespace crossfix::cuda
