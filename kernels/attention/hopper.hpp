#pragma once

#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// Whether the Hopper kernel supports these views on this device: compute capability 9.0; a head
/// dimension of 32, 64 or 128; at least one key; base addresses at multiples of 16 bytes; strides
/// that are positive multiples of 16 bytes (except those of axes of extent 1).
template <class T>
bool hopper_supports(const cuda::DeviceTraits& device, const AttentionArguments<T>& arguments);

/// Runs the Hopper kernel on supported views. Throws DeviceError if the launch fails.
template <class T>
void attention_hopper(cuda::StreamView stream, const cuda::DeviceTraits& device,
                      const AttentionArguments<T>& arguments);

}  // namespace crossfix::kernels
