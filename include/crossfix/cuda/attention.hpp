#pragma once

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cuda/device_traits.hpp"
#include "crossfix/cuda/stream.hpp"

namespace crossfix::cuda {

/// The kernels that compute an attention.
enum class AttentionKernel {
  automatic,  ///< the fastest that takes the element, the shape and the device
  hopper,     ///< bfloat16, float16; devices of compute capability 9.0: wgmma and TMA
  ampere,     ///< bfloat16, float16; devices from 8.0 on: mma.sync and cp.async
  exact,      ///< float, every product and sum in float; devices from 8.0 on
};

/// o = softmax(scale q k^T) v for every batch entry and head. q and o are
/// [batch, query, head, dim], k and v are [batch, key, head, dim], for T = bfloat16, float16 or
/// float; weights and sums are float, and the score matrix is never held whole. Views may be slices
/// of a fused projection: strides are free, except that dim is contiguous.
///
/// No keys give zeros. A row whose scores are all -inf, or hold +inf or NaN, is NaN, as a softmax
/// makes it; a NaN stays in its row.
///
/// Hands one kernel to the stream, which must belong to the device that `device` describes; does
/// not allocate, needs no workspace, does not synchronise.
///
/// Throws ShapeError where extents disagree, where `kernel` does not take T, and for what the
/// chosen kernel does not take: `exact` takes any dim up to 128 and any alignment; the 16-bit
/// kernels take dim 16, 32, 64 and 128, and q, k and v whose every row begins at a multiple of 16
/// bytes. Throws DeviceError where the device has not the instructions, or refuses the launch.
template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, float scale,
               AttentionKernel kernel = AttentionKernel::automatic);

/// The same, and the natural log-sum-exp of each row's scores, lse[b, query, head] = ln(sum over
/// keys of exp(scale q.k)), by which results over parts of the keys merge (ops/online_softmax.hpp).
///
/// lse [batch, query, head] of float, any strides. No keys, and scores of nothing but -inf, give
/// lse = -inf, and zeros in o (where the function above gives NaN for such scores); where o is NaN
/// for +inf or NaN among the scores, so is lse.
///
/// Throws, besides, ShapeError where lse's extents disagree.
template <class T>
void attention(StreamView stream, const DeviceTraits& device, TensorView<const T, 4, DeviceSpace> q,
               TensorView<const T, 4, DeviceSpace> k, TensorView<const T, 4, DeviceSpace> v,
               TensorView<T, 4, DeviceSpace> o, TensorView<float, 3, DeviceSpace> lse, float scale,
               AttentionKernel kernel = AttentionKernel::automatic);

}  // namespace crossfix::cuda
