#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "crossfix/core/math.hpp"
#include "onednn.hpp"
#include "onednn_support.hpp"
#include "shape_checks.hpp"
#include "threads.hpp"

namespace crossfix::cpu {

using dnnl::memory;

namespace {

using Description = dnnl::convolution_forward::primitive_desc;

/// A conversion between the layouts of the caller's memory and of the convolution.
struct Reorder {
  memory::desc from;
  memory::desc to;
  dnnl::reorder primitive;

  Reorder(const memory::desc& source, const memory::desc& target)
      : from(source),
        to(target),
        primitive(
            dnnl::reorder::primitive_desc(onednn::engine(), source, onednn::engine(), target)) {}

  void operator()(const void* x, void* y) const {
    onednn::Run run;
    run.bind(DNNL_ARG_FROM, from, x);
    run.bind(DNNL_ARG_TO, to, y);
    run.execute(primitive);
  }
};

/// The reorders around a convolution that uses blocked channels. It runs for one image at a time:
/// oneDNN chooses Winograd's tiles, and so the rounding, by the number of images and of threads.
struct Blocked {
  Reorder in;
  Reorder out;
  std::size_t in_bytes;
  std::size_t out_bytes;
};

Shape<4> of_one_image(Shape<4> shape) {
  shape[0] = 1;
  return shape;
}

/// Whether to request Winograd's algorithm. On tiles of 4x4 it needs a quarter of the
/// multiplications. It was measured to be 2 to 3 times as fast as the direct sum from 64 channels
/// on, including the reorders to and from blocked channels. Its relative error is about 1e-6
/// (direct sum: 2e-7), too much for sums with bfloat16 inputs.
template <class Element>
bool winograd_pays(const ops::ConvolutionSpecification& spec, const Shape<4>& input) {
  return std::is_same_v<Element, float> && spec.kernel == 3 && spec.stride == 1 &&
         spec.dilation == 1 && spec.padding == 1 && !spec.residual && spec.in_channels % 16 == 0 &&
         spec.out_channels % 16 == 0 && spec.in_channels >= 64 && spec.out_channels >= 64 &&
         input[1] * input[2] >= 256;
}

std::size_t rounded(std::size_t bytes) { return round_up_to(bytes, kHostAlignment); }

}  // namespace

template <class Element>
struct OneDnn::Convolution<Element>::State {
  ops::ConvolutionSpecification specification;
  Shape<4> input_shape;
  Shape<4> output_shape;
  int threads;  // the number of threads that the primitive was planned for
  onednn::Layouts layouts;
  dnnl::convolution_forward primitive;
  std::optional<Blocked> blocked;
  memory weights;
  memory bias;

  std::size_t scratch_bytes() const {
    return rounded(layouts.scratch_bytes) +
           (blocked ? rounded(blocked->in_bytes) + rounded(blocked->out_bytes) : 0);
  }

  void run(Context& context, const Element* x, Element* y) const {
    ThreadScope scope(threads);
    std::byte* scratch = context.scratch(scratch_bytes());
    if (!blocked) return run(x, y, scratch);
    std::byte* in = scratch + rounded(layouts.scratch_bytes);
    std::byte* out = in + rounded(blocked->in_bytes);
    for (Index image = 0; image < input_shape[0]; ++image) {
      blocked->in(x + image * element_count(of_one_image(input_shape)), in);
      run(in, out, scratch);
      blocked->out(out, y + image * element_count(of_one_image(output_shape)));
    }
  }

 private:
  void run(const void* x, void* y, std::byte* scratch) const {
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
OneDnn::Convolution<Element>::Convolution(const Target& target,
                                          const ops::ConvolutionSpecification& spec,
                                          TensorView<const float, 4> weights,
                                          TensorView<const float, 1> bias,
                                          const Shape<4>& input_shape) {
  check_convolution(spec, weights, bias, input_shape);
  const int threads = thread_count(target);
  const ThreadScope scope(threads);  // oneDNN plans for the current number of threads
  const Shape<4> output = spec.output_shape(input_shape);
  const auto type = onednn::kDataType<Element>;
  const auto f32 = memory::data_type::f32;
  const memory::dims weight_dims{spec.out_channels, spec.in_channels, spec.kernel, spec.kernel};
  const memory::desc weight(weight_dims, type, memory::format_tag::any);
  const memory::desc bias_desc({spec.out_channels}, f32, memory::format_tag::x);
  const auto activations = [type](const Shape<4>& shape, memory::format_tag tag) {
    return memory::desc({shape[0], shape[3], shape[1], shape[2]}, type, tag);
  };

  dnnl::post_ops after;
  if (spec.residual) after.append_sum();
  onednn::append(after, spec.activation);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(after);

  const auto describe = [&](dnnl::algorithm algorithm, memory::format_tag tag, const Shape<4>& x,
                            const Shape<4>& y) {
    return Description({dnnl::prop_kind::forward_inference,
                        algorithm,
                        activations(x, tag),
                        weight,
                        bias_desc,
                        activations(y, tag),
                        {spec.stride, spec.stride},
                        {spec.dilation - 1, spec.dilation - 1},
                        {spec.padding, spec.padding},
                        {spec.padding, spec.padding}},
                       attributes, onednn::engine());
  };
  const auto state = [&](const Description& description, std::optional<Blocked> blocked) {
    const memory::desc oihw(weight_dims, f32, memory::format_tag::oihw);
    return std::make_unique<const State>(
        State{spec, input_shape, output, threads, onednn::Layouts(description),
              dnnl::convolution_forward(description), std::move(blocked),
              onednn::packed(weights.data(), oihw, description.weights_desc()),
              onednn::packed(bias.data(), bias_desc, bias_desc)});
  };
  const auto nhwc = memory::format_tag::nhwc;
  if (winograd_pays<Element>(spec, input_shape)) {
    onednn::expect_room();
    try {
      const Shape<4> one_x = of_one_image(input_shape);
      const Shape<4> one_y = of_one_image(output);
      const Description description = describe(dnnl::algorithm::convolution_winograd,
                                               memory::format_tag::nChw16c, one_x, one_y);
      const memory::desc blocked_x = description.src_desc();
      const memory::desc blocked_y = description.dst_desc();
      state_ = state(description, Blocked{Reorder(activations(one_x, nhwc), blocked_x),
                                          Reorder(blocked_y, activations(one_y, nhwc)),
                                          blocked_x.get_size(), blocked_y.get_size()});
      return;
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
      // oneDNN supports it only for AVX-512, and with no activation other than ReLU.
    }
  }
  state_ = onednn::guarded("a convolution", [&] {
    return state(describe(dnnl::algorithm::convolution_direct, nhwc, input_shape, output),
                 std::nullopt);
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
  return state_->scratch_bytes();
}

template class OneDnn::Convolution<float>;
template class OneDnn::Convolution<bfloat16>;

}  // namespace crossfix::cpu
