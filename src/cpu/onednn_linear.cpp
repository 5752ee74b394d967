#include <algorithm>

#include "crossfix/core/math.hpp"
#include "onednn.hpp"
#include "onednn_support.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {

using dnnl::memory;

template <class Element, class Out>
struct OneDnn::Linear<Element, Out>::State {
  ops::LinearSpecification specification;
  Index block;  // rows of one product: those of the table, or all of them if the table is a bias
  int threads;  // the number of threads that the primitive was planned for
  bool table_is_bias;
  onednn::Layouts layouts;
  dnnl::matmul primitive;
  memory weights;
  memory table;

  std::size_t primitive_scratch() const { return rounded(layouts.scratch_bytes); }
  std::size_t x_bytes() const { return rounded(bytes_of<Element>(specification.in_features)); }
  std::size_t y_bytes() const { return rounded(bytes_of<Out>(specification.out_features)); }

  void run(const Element* x, Out* y, std::byte* scratch) const {
    onednn::Run run;
    run.bind(DNNL_ARG_SRC, layouts.source, x);
    run.bind(DNNL_ARG_WEIGHTS, weights);
    run.bind(table_is_bias ? DNNL_ARG_BIAS : DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
             table);
    run.bind(DNNL_ARG_DST, layouts.target, y);
    run.bind(DNNL_ARG_SCRATCHPAD, layouts.scratch, scratch);
    run.execute(primitive);
  }

 private:
  template <class T>
  std::size_t bytes_of(Index features) const {
    return static_cast<std::size_t>(block * features) * sizeof(T);
  }
  static std::size_t rounded(std::size_t bytes) { return round_up_to(bytes, kHostAlignment); }
};

namespace {

/// Copies rows between strided matrices of the same extents.
template <class Element>
void copy_rows(Index rows, Index columns, const Element* from, Index from_stride, Element* to,
               Index to_stride) {
#pragma omp parallel for schedule(static)
  for (Index row = 0; row < rows; ++row) {
    std::copy_n(from + row * from_stride, columns, to + row * to_stride);
  }
}

}  // namespace

template <class Element, class Out>
OneDnn::Linear<Element, Out>::Linear(const Target& target, const ops::LinearSpecification& spec,
                                     TensorView<const float, 2> weights,
                                     TensorView<const float, 2> table) {
  check_linear(spec, weights, table);
  const int threads = thread_count(target);
  const ThreadScope scope(threads);  // oneDNN plans for the current number of threads
  const auto type = onednn::kDataType<Element>;
  const auto f32 = memory::data_type::f32;
  const Index table_rows = table.extent(0);
  const Index block = table_rows == 1 ? spec.rows : table_rows;
  const memory::dims weight_dims{spec.in_features, spec.out_features};
  const memory::desc x({block, spec.in_features}, type, memory::format_tag::ab);
  const memory::desc y({block, spec.out_features}, onednn::kDataType<Out>, memory::format_tag::ab);
  const memory::desc weight(weight_dims, type, memory::format_tag::any);
  const memory::desc rows({table_rows, spec.out_features}, f32, memory::format_tag::ab);

  dnnl::post_ops after;
  if (table_rows != 1) after.append_binary(dnnl::algorithm::binary_add, rows);
  onednn::append(after, spec.activation);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(after);

  state_ = onednn::guarded("a matrix product", [&] {
    const dnnl::matmul::primitive_desc description(
        table_rows == 1 ? dnnl::matmul::desc(x, weight, rows, y) : dnnl::matmul::desc(x, weight, y),
        attributes, onednn::engine());
    const memory::desc out_by_in(weight_dims, f32, memory::format_tag::ba);
    return std::make_unique<const State>(
        State{spec, block, threads, table_rows == 1, onednn::Layouts(description),
              dnnl::matmul(description),
              onednn::packed(weights.data(), out_by_in, description.weights_desc()),
              onednn::packed(table.data(), rows, rows)});
  });
}

template <class Element, class Out>
OneDnn::Linear<Element, Out>::Linear(Linear&&) noexcept = default;
template <class Element, class Out>
OneDnn::Linear<Element, Out>& OneDnn::Linear<Element, Out>::operator=(Linear&&) noexcept = default;
template <class Element, class Out>
OneDnn::Linear<Element, Out>::~Linear() = default;

// oneDNN's fast products accept only rows without gaps; other rows are copied through scratch
// memory.
template <class Element, class Out>
void OneDnn::Linear<Element, Out>::operator()(Context& context, TensorView<const Element, 2> x,
                                              TensorView<Out, 2> y) const {
  const ops::LinearSpecification& spec = state_->specification;
  check_linear_call(spec, x, y);
  const ThreadScope scope(state_->threads);
  std::byte* scratch = context.scratch(scratch_bytes());
  auto* dense_x = reinterpret_cast<Element*>(scratch + state_->primitive_scratch());
  auto* dense_y = reinterpret_cast<Out*>(scratch + state_->primitive_scratch() + state_->x_bytes());
  for (Index row = 0; row < spec.rows; row += state_->block) {
    const Element* in = x.data() + row * x.stride(0);
    Out* out = y.data() + row * y.stride(0);
    if (!x.is_contiguous()) {
      copy_rows(state_->block, spec.in_features, in, x.stride(0), dense_x, spec.in_features);
    }
    state_->run(x.is_contiguous() ? in : dense_x, y.is_contiguous() ? out : dense_y, scratch);
    if (!y.is_contiguous()) {
      copy_rows<Out>(state_->block, spec.out_features, dense_y, spec.out_features, out,
                     y.stride(0));
    }
  }
}

template <class Element, class Out>
std::size_t OneDnn::Linear<Element, Out>::scratch_bytes() const {
  return state_->primitive_scratch() + state_->x_bytes() + state_->y_bytes();
}

template class OneDnn::Linear<float>;
template class OneDnn::Linear<bfloat16>;
template class OneDnn::Linear<bfloat16, float>;

}  // namespace crossfix::cpu
