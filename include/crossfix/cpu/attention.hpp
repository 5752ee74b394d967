#pragma once

#include <cstddef>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/cpu/context.hpp"

namespace crossfix::cpu {

/// Scratch memory of `attention`, in bytes.
template <class Element>
std::size_t attention_scratch_bytes(const Target& target, Index tokens_q, Index tokens_k,
                                    Index heads, Index dim);

/// o = softmax(scale q k^T) v for each batch and head.
///
/// q, o [batch, query, head, dim]; k, v [batch, key, head, dim]; any strides but a contiguous dim.
/// Online softmax over blocks of keys: no whole matrix of scores is held. Zero keys give zeros. Any
/// dim and any scale, negative ones included.
///
/// Scores of -inf weigh nothing; a row holding a NaN or +inf, or only -inf, is NaN, as a softmax
/// gives. A weight below 2^-126 counts as 2^-126, which shows only where v is infinite.
///
/// Throws ShapeError where extents do not fit or the context's scratch is too small.
template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, float scale);

/// The same, and the natural log-sum-exp of each row's scores, lse[b, query, head] = ln(sum over
/// keys of exp(scale q.k)), by which results over parts of the keys merge (ops/online_softmax.hpp).
///
/// lse [batch, query, head] of float, any strides. No keys, and scores of nothing but -inf, give
/// lse = -inf, and zeros in o (where the function above gives NaN for such scores); where o is NaN
/// for +inf or NaN among the scores, so is lse. Throws ShapeError as above.
template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, TensorView<float, 3> lse,
               float scale);

extern template std::size_t attention_scratch_bytes<float>(const Target&, Index, Index, Index,
                                                           Index);
extern template std::size_t attention_scratch_bytes<bfloat16>(const Target&, Index, Index, Index,
                                                              Index);
extern template void attention<float>(Context&, TensorView<const float, 4>,
                                      TensorView<const float, 4>, TensorView<const float, 4>,
                                      TensorView<float, 4>, float);
extern template void attention<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                         TensorView<const bfloat16, 4>,
                                         TensorView<const bfloat16, 4>, TensorView<bfloat16, 4>,
                                         float);
extern template void attention<float>(Context&, TensorView<const float, 4>,
                                      TensorView<const float, 4>, TensorView<const float, 4>,
                                      TensorView<float, 4>, TensorView<float, 3>, float);
extern template void attention<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                         TensorView<const bfloat16, 4>,
                                         TensorView<const bfloat16, 4>, TensorView<bfloat16, 4>,
                                         TensorView<float, 3>, float);

}  // namespace crossfix::cpu
