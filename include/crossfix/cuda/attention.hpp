#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// The kernels that compute an attention.
enum class AttentionKernel {
  automatic,  ///< the fastest that supports the element, the shape and the device
  hopper,     ///< bfloat16, float16; devices of compute capability 9.0: wgmma and TMA
  ampere,     ///< bfloat16, float16; devices from 8.0 on: mma.sync and cp.async
  exact,      ///< float, every product and sum in float; devices from 8.0 on
};

/// o = softmax(scale q k^T) v for every batch entry and head. q and o are [batch, query, head,
/// dim], k and v are [batch, key, head, dim], for T = bfloat16, float16 or float. Weights and sums
/// are float, and the score matrix is never stored whole. Views may be slices of a fused
/// projection: strides are arbitrary, except that dim is contiguous.
///
/// No keys give zeros. A row whose scores are all -inf, or contain +inf or NaN, gives NaN, as a
/// softmax does. A NaN affects only its own row.
///
/// Enqueues one kernel on the stream, which must belong to the device that `device` describes. Does
/// not allocate, needs no workspace, does not synchronise.
///
/// Throws ShapeError if extents do not match, if `kernel` does not support T, or if the chosen
/// kernel does not support the arguments. `exact` accepts any dim up to 128 and any alignment. The
/// 16-bit kernels accept dim 16, 32, 64 and 128, and every row of q, k and v must begin at a
/// multiple of 16 bytes. Throws DeviceError if the device lacks the instructions, or if the launch
/// fails.
template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, float scale,
               AttentionKernel kernel = AttentionKernel::automatic);

/// The same, and also the natural log-sum-exp of each row's scores, lse[b, query, head] = ln(sum
/// over keys of exp(scale q.k)). With it, results over parts of the keys can be merged
/// (ops/online_softmax.hpp).
///
/// lse is [batch, query, head] of float, any strides. If there are no keys, or if all scores are
/// -inf, lse is -inf and o is zero (the function above gives NaN for such scores). If o is NaN
/// because of +inf or NaN among the scores, lse is NaN too.
///
/// Also throws ShapeError if lse's extents do not match.
template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, TensorView<float, 3, DeviceSpace> lse, float scale,
               AttentionKernel kernel = AttentionKernel::automatic);

}  // namespace crossfix::cuda
