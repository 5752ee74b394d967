#include <omp.h>

#include <algorithm>

#include "crossfix/cpu/onednn.hpp"
#include "onednn_support.hpp"
#include "shape_checks.hpp"

namespace crossfix::cpu {

using dnnl::memory;

template <class Element>
struct OneDnn::Convolution<Element>::State {
  ops::ConvolutionSpecification specification;
  Shape<4> input_shape;
  Shape<4> output_shape;
  int threads;  // the number the primitive was planned for
  onednn::Layouts layouts;
  dnnl::convolution_forward primitive;
  memory weights;
  memory bias;

  void run(Context& context, const Element* x, Element* y) const {
    ThreadScope scope(threads);
    std::byte* scratch = context.scratch(layouts.scratch_bytes);
    onednn::Run run;
    run.bind(DNNL_ARG_SRC, layouts.source, x);
    run.bind(DNNL_ARG_WEIGHTS, weights);
    run.bind(DNNL_ARG_BIAS, bias);
    run.bind(DNNL_ARG_DST, layouts.target, y);
    run.bind(DNNL_ARG_SCRATCHPAD, layouts.scratch, scratch);
    run.execute(primitive);
  }
};

template <class Element>
OneDnn::Convolution<Element>::Convolution(const ops::ConvolutionSpecification& spec,
                                          TensorView<const float, 4> weights,
                                          TensorView<const float, 1> bias,
                                          const Shape<4>& input_shape) {
  check_convolution(spec, weights, bias, input_shape);
  const Shape<4> output = spec.output_shape(input_shape);
  const auto type = onednn::kDataType<Element>;
  const memory::dims weight_dims{spec.out_channels, spec.in_channels, spec.kernel, spec.kernel};
  const memory::desc source({input_shape[0], input_shape[3], input_shape[1], input_shape[2]}, type,
                            memory::format_tag::nhwc);
  const memory::desc target({output[0], output[3], output[1], output[2]}, type,
                            memory::format_tag::nhwc);
  const memory::desc weight(weight_dims, type, memory::format_tag::any);
  const memory::desc bias_desc({spec.out_channels}, memory::data_type::f32, memory::format_tag::x);

  dnnl::post_ops after;
  if (spec.residual) after.append_sum();
  if (spec.activation == ops::Activation::relu) {
    after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(after);

  state_ = onednn::guarded("a convolution", [&] {
    const dnnl::convolution_forward::primitive_desc description(
        {dnnl::prop_kind::forward_inference,
         dnnl::algorithm::convolution_direct,
         source,
         weight,
         bias_desc,
         target,
         {spec.stride, spec.stride},
         {spec.dilation - 1, spec.dilation - 1},
         {spec.padding, spec.padding},
         {spec.padding, spec.padding}},
        attributes, onednn::engine());
    const memory::desc oihw(weight_dims, memory::data_type::f32, memory::format_tag::oihw);
    return std::make_unique<const State>(
        State{spec, input_shape, output, omp_get_max_threads(), onednn::Layouts(description),
              dnnl::convolution_forward(description),
              onednn::packed(weights.data(), oihw, description.weights_desc()),
              onednn::packed(bias.data(), bias_desc, bias_desc)});
  });
}

template <class Element>
OneDnn::Convolution<Element>::Convolution(Convolution&&) noexcept = default;
template <class Element>
OneDnn::Convolution<Element>& OneDnn::Convolution<Element>::operator=(Convolution&&) noexcept =
    default;
template <class Element>
OneDnn::Convolution<Element>::~Convolution() = default;

template <class Element>
void OneDnn::Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                              TensorView<Element, 4> y) const {
  check_convolution_call(state_->specification, state_->input_shape, x, y, false);
  state_->run(context, x.data(), y.data());
}

template <class Element>
void OneDnn::Convolution<Element>::operator()(Context& context, TensorView<const Element, 4> x,
                                              TensorView<const Element, 4> r,
                                              TensorView<Element, 4> y) const {
  check_convolution_call(state_->specification, state_->input_shape, x, y, true);
  expect_shape("convolution residual", r.shape(), state_->output_shape);
  expect_contiguous("convolution residual", r);
  if (r.data() != y.data()) std::copy_n(r.data(), r.size(), y.data());  // oneDNN adds in place
  state_->run(context, x.data(), y.data());
}

template <class Element>
std::size_t OneDnn::Convolution<Element>::scratch_bytes() const {
  return state_->layouts.scratch_bytes;
}

template <class Element>
const char* OneDnn::Convolution<Element>::implementation() const {
  return state_->layouts.implementation;
}

template class OneDnn::Convolution<float>;
template class OneDnn::Convolution<bfloat16>;

}  // namespace crossfix::cpu
