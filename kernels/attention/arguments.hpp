#pragma once

#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix::kernels {

/// A view [batch, token, head, dim] as an argument of a kernel. Elements along dim are adjacent.
/// Strides are in elements and may have any value, also those of axes of extent 1.
template <class T>
struct AttentionOperand {
  T* data;
  Index batch_stride;
  Index token_stride;
  Index head_stride;

  /// The first token of one head.
  CROSSFIX_HOST_DEVICE constexpr T* head(Index b, Index h) const {
    return data + b * batch_stride + h * head_stride;
  }
};

/// The arguments of every attention kernel: o = softmax(scale q k^T) v. Extents have been checked
/// against each other. `batch`, `heads`, `queries` and `dim` are positive; `keys` may be 0; the
/// number of tokens plus a tile fits an int.
///
/// `lse`, if requested, is the natural log-sum-exp of each row's scaled scores. Rows in which no
/// key has weight are then zeros, so that they can be merged with others. Without lse they are NaN,
/// as a softmax gives.
template <class T>
struct AttentionArguments {
  AttentionOperand<const T> q;  ///< [batch, queries, heads, dim]
  AttentionOperand<const T> k;  ///< [batch, keys, heads, dim]
  AttentionOperand<const T> v;  ///< [batch, keys, heads, dim]
  AttentionOperand<T> o;        ///< [batch, queries, heads, dim]
  Index batch;
  Index heads;
  int queries;
  int keys;
  int dim;
  float scale;
  AttentionOperand<float> lse = {};  ///< [batch, queries, heads]; null if not requested
};

}  // namespace crossfix::kernels
