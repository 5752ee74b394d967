#pragma once

#include "crossfix/core/memory_space.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix::kernels {

/// A view [batch, token, head, dim] as a kernel takes it: elements along dim are neighbours,
/// strides are in elements and may be anything, those of axes of extent 1 included.
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

/// What every attention kernel is given: o = softmax(scale q k^T) v. Extents have been checked
/// against each other: `batch`, `heads`, `queries` and `dim` are positive, `keys` may be 0, tokens
/// fit an int with room for a tile.
///
/// `lse`, where it is asked for: the natural log-sum-exp of each row's scaled scores. Rows that no
/// key has a weight in are zeros then, so that they merge with others; without it they are NaN, as
/// a softmax gives.
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
  AttentionOperand<float> lse = {};  ///< [batch, queries, heads]; null where it is not asked for
};

}  // namespace crossfix::kernels
