#include "onednn.hpp"
#include "onednn_support.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {

using dnnl::memory;

template <class Element>
struct OneDnn::DepthwiseConvolution<Element>::State {
  ops::DepthwiseConvolutionSpecification specification;
  Shape<4> input_shape;
  int threads;  // the number of threads that the primitive was planned for
  onednn::Layouts layouts;
  dnnl::convolution_forward primitive;
  memory weights;
  memory bias;
};

template <class Element>
OneDnn::DepthwiseConvolution<Element>::DepthwiseConvolution(
    const Target& target, const ops::DepthwiseConvolutionSpecification& spec,
    TensorView<const float, 3> weights, TensorView<const float, 1> bias,
    const Shape<4>& input_shape) {
  check_depthwise(spec, weights, bias, input_shape);
  const int threads = thread_count(target);
  const ThreadScope scope(threads);  // oneDNN plans for the current number of threads
  const auto type = onednn::kDataType<Element>;
  const auto f32 = memory::data_type::f32;
  // One group per channel, each with one input and one output.
  const memory::dims weight_dims{spec.channels, 1, 1, spec.kernel, spec.kernel};
  const memory::desc weight(weight_dims, type, memory::format_tag::any);
  const memory::desc bias_desc({spec.channels}, f32, memory::format_tag::x);
  const auto activations = [type](const Shape<4>& shape) {
    return memory::desc({shape[0], shape[3], shape[1], shape[2]}, type, memory::format_tag::nhwc);
  };

  dnnl::post_ops after;
  onednn::append(after, spec.activation);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(after);

  state_ = onednn::guarded("a depthwise convolution", [&] {
    const dnnl::convolution_forward::primitive_desc description(
        {dnnl::prop_kind::forward_inference,
         dnnl::algorithm::convolution_direct,
         activations(input_shape),
         weight,
         bias_desc,
         activations(spec.output_shape(input_shape)),
         {spec.stride, spec.stride},
         {spec.dilation - 1, spec.dilation - 1},
         {spec.padding, spec.padding},
         {spec.padding, spec.padding}},
        attributes, onednn::engine());
    const memory::desc goihw(weight_dims, f32, memory::format_tag::goihw);
    return std::make_unique<const State>(
        State{spec, input_shape, threads, onednn::Layouts(description),
              dnnl::convolution_forward(description),
              onednn::packed(weights.data(), goihw, description.weights_desc()),
              onednn::packed(bias.data(), bias_desc, bias_desc)});
  });
}

template <class Element>
OneDnn::DepthwiseConvolution<Element>::DepthwiseConvolution(DepthwiseConvolution&&) noexcept =
    default;
template <class Element>
OneDnn::DepthwiseConvolution<Element>& OneDnn::DepthwiseConvolution<Element>::operator=(
    DepthwiseConvolution&&) noexcept = default;
template <class Element>
OneDnn::DepthwiseConvolution<Element>::~DepthwiseConvolution() = default;

template <class Element>
void OneDnn::DepthwiseConvolution<Element>::operator()(Context& context,
                                                       TensorView<const Element, 4> x,
                                                       TensorView<Element, 4> y) const {
  check_depthwise_call(state_->specification, state_->input_shape, x, y);
  const ThreadScope scope(state_->threads);
  onednn::Run run;
  run.bind(DNNL_ARG_SRC, state_->layouts.source, x.data());
  run.bind(DNNL_ARG_WEIGHTS, state_->weights);
  run.bind(DNNL_ARG_BIAS, state_->bias);
  run.bind(DNNL_ARG_DST, state_->layouts.target, y.data());
  run.bind(DNNL_ARG_SCRATCHPAD, state_->layouts.scratch, context.scratch(scratch_bytes()));
  run.execute(state_->primitive);
}

template <class Element>
std::size_t OneDnn::DepthwiseConvolution<Element>::scratch_bytes() const {
  return state_->layouts.scratch_bytes;
}

template class OneDnn::DepthwiseConvolution<float>;
template class OneDnn::DepthwiseConvolution<bfloat16>;

}  // namespace crossfix::cpu
