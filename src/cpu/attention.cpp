#include "crossfix/cpu/attention.hpp"

#include <omp.h>

#include <algorithm>

#include "crossfix/core/math.hpp"
#include "kernels/select.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {
namespace {

template <class Element>
std::size_t scratch_per_thread(Index tokens_k, Index dim) {
  return kernels::attention_scratch_bytes(tokens_k, dim, sizeof(Element));
}

// The blocks of queries of all heads, in order, are divided into one contiguous range per thread. A
// thread packs the keys and values of each head in its range. If a head is divided between threads,
// each of them packs it, which costs 1 / queries of the products.
template <class Element>
void run(Context& context, const TensorView<const Element, 4>& q,
         const TensorView<const Element, 4>& k, const TensorView<const Element, 4>& v,
         const TensorView<Element, 4>& o, const TensorView<float, 3>* lse, float scale) {
  using Stored = kernels::Stored<Element>;
  const Index batch = q.extent(0), queries = q.extent(1), heads = q.extent(2), dim = q.extent(3);
  const Index keys = k.extent(1);
  expect_shape("attention keys", k.shape(), {batch, keys, heads, dim});
  expect_shape("attention values", v.shape(), k.shape());
  expect_shape("attention output", o.shape(), q.shape());
  expect_contiguous_rows("attention queries", q);
  expect_contiguous_rows("attention keys", k);
  expect_contiguous_rows("attention values", v);
  expect_contiguous_rows("attention output", o);
  if (q.empty()) return;

  const auto& kernel = kernels::select<Element>(context.instruction_set()).attention;
  const std::size_t bytes = scratch_per_thread<Element>(keys, dim);
  // The number of threads for which there is scratch memory, and at least one.
  const auto room = static_cast<Index>(context.scratch_bytes() / bytes);
  const Index blocks_per_head = ceil_div(queries, kernels::kQueryBlock);
  const Index blocks = batch * heads * blocks_per_head;
  const Index threads = std::clamp<Index>(room, 1, std::min<Index>(context.threads(), blocks));
  std::byte* scratch = context.scratch(bytes * static_cast<std::size_t>(threads));

#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    const Index thread = omp_get_thread_num();
    const Index workers = omp_get_num_threads();
    Index block = blocks * thread / workers;
    const Index end = blocks * (thread + 1) / workers;
    while (block < end) {
      const Index b = block / blocks_per_head / heads;
      const Index h = block / blocks_per_head % heads;
      const Index first = block % blocks_per_head;
      const Index last = std::min(blocks_per_head, first + end - block);
      const auto at = [b, h](const auto& view) {
        return reinterpret_cast<const Stored*>(view.data() + view.offset(b, Index{0}, h, Index{0}));
      };
      const kernels::AttentionHead<Stored> head{
          .q = at(q),
          .k = at(k),
          .v = at(v),
          .o = const_cast<Stored*>(at(o)),
          .lse = lse == nullptr ? nullptr : lse->data() + lse->offset(b, Index{0}, h),
          .q_stride = q.stride(1),
          .k_stride = k.stride(1),
          .v_stride = v.stride(1),
          .o_stride = o.stride(1),
          .lse_stride = lse == nullptr ? 0 : lse->stride(1),
          .queries = queries,
          .keys = keys,
          .dim = dim,
          .scale = scale,
          .scratch = scratch + bytes * static_cast<std::size_t>(thread)};
      kernel.pack(head);
      kernel.run(head, first * kernels::kQueryBlock,
                 std::min(queries, last * kernels::kQueryBlock));
      block += last - first;
    }
  }
}

}  // namespace

template <class Element>
std::size_t attention_scratch_bytes(const Target& target, Index, Index tokens_k, Index, Index dim) {
  return static_cast<std::size_t>(thread_count(target)) *
         scratch_per_thread<Element>(tokens_k, dim);
}

template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, float scale) {
  run<Element>(context, q, k, v, o, nullptr, scale);
}

template <class Element>
void attention(Context& context, TensorView<const Element, 4> q, TensorView<const Element, 4> k,
               TensorView<const Element, 4> v, TensorView<Element, 4> o, TensorView<float, 3> lse,
               float scale) {
  expect_shape("attention log-sum-exp", lse.shape(), {q.extent(0), q.extent(1), q.extent(2)});
  run<Element>(context, q, k, v, o, &lse, scale);
}

template std::size_t attention_scratch_bytes<float>(const Target&, Index, Index, Index, Index);
template std::size_t attention_scratch_bytes<bfloat16>(const Target&, Index, Index, Index, Index);
template void attention<float>(Context&, TensorView<const float, 4>, TensorView<const float, 4>,
                               TensorView<const float, 4>, TensorView<float, 4>, float);
template void attention<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                  TensorView<const bfloat16, 4>, TensorView<const bfloat16, 4>,
                                  TensorView<bfloat16, 4>, float);
template void attention<float>(Context&, TensorView<const float, 4>, TensorView<const float, 4>,
                               TensorView<const float, 4>, TensorView<float, 4>,
                               TensorView<float, 3>, float);
template void attention<bfloat16>(Context&, TensorView<const bfloat16, 4>,
                                  TensorView<const bfloat16, 4>, TensorView<const bfloat16, 4>,
                                  TensorView<bfloat16, 4>, TensorView<float, 3>, float);

}  // namespace crossfix::cpu
