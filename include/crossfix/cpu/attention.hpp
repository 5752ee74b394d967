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

/// o = softmax(scale q k^T) v for each batch entry and head.
///
/// q, o are [batch, query, head, dim]; k, v are [batch, key, head, dim]. Strides are arbitrary,
/// except that dim is contiguous. Online softmax over blocks of keys: the score matrix is never
/// stored whole. Zero keys give zeros. Any dim and any scale are allowed, also negative scales.
///
/// Scores of -inf have weight 0. A row that contains NaN or +inf, or only -inf, gives NaN, as a
/// softmax does. A weight below 2^-126 is replaced by 2^-126, which matters only if v is infinite.
///
/// Throws ShapeError if extents do not match or the context's scratch memory is too small.
template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, float scale);

/// The same, and also the natural log-sum-exp of each row's scores, lse[b, query, head] = ln(sum
/// over keys of exp(scale q.k)). With it, results over parts of the keys can be merged
/// (ops/online_softmax.hpp).
///
/// lse is [batch, query, head] of float, any strides. If there are no keys, or if all scores are
/// -inf, lse is -inf and o is zero (the function above gives NaN for such scores). If o is NaN
/// because of +inf or NaN among the scores, lse is NaN too. Throws ShapeError as above.
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
