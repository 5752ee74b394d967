#pragma once

#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"
#include "crossfix/kernels/attention/arguments.hpp"

namespace crossfix::kernels {

/// Whether the Hopper kernel takes these views on this device: compute capability 9.0, a head
/// dimension of 32, 64 or 128, at least one key, bases on 16 bytes, strides of whole 16 bytes
/// (those of axes of extent 1 aside), none of them 0 for queries, keys and values.
template <class T>
bool hopper_supports(const cuda::DeviceTraits& device, const AttentionArguments<T>& arguments);

/// The Hopper kernel, of what it supports. Throws DeviceError where the launch is refused.
template <class T>
void attention_hopper(cuda::StreamView stream, const cuda::DeviceTraits& device,
                      const AttentionArguments<T>& arguments);

}  // namespace crossfix::kernels
