#include "crossfix/cpu/attention.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "shape_checks.hpp"

namespace crossfix::cpu {

template <class Element>
std::size_t attention_scratch_bytes(Index, Index tokens_k, Index, Index dim) {
  return static_cast<std::size_t>(omp_get_max_threads()) *
         static_cast<std::size_t>(tokens_k + dim) * sizeof(float);
}

template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, float scale) {
  const Index heads = q.extent(2), nq = q.extent(1), nk = k.extent(1), dim = q.extent(3);
  expect_shape("attention keys", k.shape(), {q.extent(0), nk, heads, dim});
  expect_shape("attention values", v.shape(), k.shape());
  expect_shape("attention output", o.shape(), q.shape());
  const Index per_thread = nk + dim;
  auto* scratch = reinterpret_cast<float*>(
      context.scratch(static_cast<std::size_t>(context.threads() * per_thread) * sizeof(float)));
#pragma omp parallel for collapse(3) schedule(static) num_threads(context.threads())
  for (Index b = 0; b < q.extent(0); ++b) {
    for (Index h = 0; h < heads; ++h) {
      for (Index i = 0; i < nq; ++i) {
        float* p = scratch + omp_get_thread_num() * per_thread;
        float* sum = p + nk;
        const Element* qi = q.data() + q.offset(b, i, h, 0);
        float top = -INFINITY;
        for (Index j = 0; j < nk; ++j) {
          const Element* kj = k.data() + k.offset(b, j, h, 0);
          float dot = 0;
          for (Index d = 0; d < dim; ++d) dot += float(qi[d]) * float(kj[d]);
          p[j] = dot * scale;
          top = std::max(top, p[j]);
        }
        float total = 0;
        std::fill(sum, sum + dim, 0.0f);
        for (Index j = 0; j < nk; ++j) {
          const float e = std::exp(p[j] - top);
          total += e;
          const Element* vj = v.data() + v.offset(b, j, h, 0);
          for (Index d = 0; d < dim; ++d) sum[d] += e * float(vj[d]);
        }
        Element* oi = o.data() + o.offset(b, i, h, 0);
        for (Index d = 0; d < dim; ++d) oi[d] = Element(nk == 0 ? 0.0f : sum[d] / total);
      }
    }
  }
}

template std::size_t attention_scratch_bytes<float>(Index, Index, Index, Index);
template std::size_t attention_scratch_bytes<bfloat16>(Index, Index, Index, Index);
template void attention<float>(Context&, TensorView<const float, 4>, TensorView<const float, 4>,
                               TensorView<const float, 4>, TensorView<float, 4>, float);
template void attention<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                  TensorView<const bfloat16, 4>, TensorView<const bfloat16, 4>,
                                  TensorView<bfloat16, 4>, float);

}  // namespace crossfix::cpu
