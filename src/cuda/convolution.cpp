#include "crossfix/cuda/convolution.hpp"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "alignment.hpp"
#include "convolution_plan.hpp"
#include "crossfix/core/math.hpp"
#include "crossfix/cuda/elementwise.hpp"
#include "crossfix/ops/checks.hpp"
#include "target_state.hpp"
#include "upload_as.hpp"

namespace crossfix::cuda {
namespace {

constexpr std::size_t kTensorAlignment = 16;  // bytes, as the plans promise cuDNN
constexpr std::size_t kScratchAlignment = 256;

std::size_t rounded(std::size_t bytes) { return round_up_to(bytes, kScratchAlignment); }

/// Weights [out, in, kernel, kernel] as `Element` [out, kernel, kernel, in].
template <class Element>
std::vector<Element> channels_last(TensorView<const float, 4> weights) {
  std::vector<Element> out;
  out.reserve(static_cast<std::size_t>(weights.size()));
  for (Index o = 0; o < weights.extent(0); ++o) {
    for (Index row = 0; row < weights.extent(2); ++row) {
      for (Index col = 0; col < weights.extent(3); ++col) {
        for (Index in = 0; in < weights.extent(1); ++in) {
          out.push_back(Element(weights(o, in, row, col)));
        }
      }
    }
  }
  return out;
}

}  // namespace

template <class Element>
struct Convolution<Element>::State {
  ops::ConvolutionSpecification specification;
  Shape<4> input_shape;
  Shape<4> output_shape;
  std::shared_ptr<const ConvolutionPlan> plan;
  DeviceBuffer weights;
  DeviceBuffer bias;  // of Element if the plan is fused, otherwise of float

  std::size_t output_bytes() const {
    return static_cast<std::size_t>(element_count(output_shape)) * sizeof(Element);
  }
  /// The result of an unfused convolution is first written to scratch memory, because y may be the
  /// residual.
  std::size_t scratch_bytes() const {
    return rounded(plan->workspace_bytes()) + (plan->is_fused() ? 0 : output_bytes());
  }

  void run(Context& context, TensorView<const Element, 4, DeviceSpace> x,
           TensorView<const Element, 4, DeviceSpace> residual,
           TensorView<Element, 4, DeviceSpace> y) const {
    const DeviceScope scope(context.device());
    std::byte* scratch = context.scratch(scratch_bytes());
    const auto handle = context.target().state().cudnn.handle;
    if (plan->is_fused()) {
      plan->run(handle, {x.data(), weights.data(), bias.data(), residual.data(), y.data()},
                scratch);
      clip_to_limits(context, y);
      return;
    }
    auto* sums = reinterpret_cast<Element*>(scratch + rounded(plan->workspace_bytes()));
    plan->run(handle, {x.data(), weights.data(), nullptr, nullptr, sums}, scratch);
    finish(context, sums, residual, y);
  }

  /// Applies the upper limit of the activation, which a fused plan does not have. Rounding a sum
  /// before it is clipped changes nothing, because the limit is an `Element`.
  void clip_to_limits(Context& context, TensorView<Element, 4, DeviceSpace> y) const {
    const float most = ops::limits_of(specification.activation).most;
    if (std::isinf(most)) return;
    const auto [n, height, width, channels] = output_shape;
    clip<Element>(context.stream(), context.traits(),
                  y.reshape(Shape<2>{n * height, width * channels}), most);
  }

  void finish(Context& context, const Element* sums,
              TensorView<const Element, 4, DeviceSpace> residual,
              TensorView<Element, 4, DeviceSpace> y) const {
    const TensorView<const Element, 4, DeviceSpace> x(sums, output_shape);
    const TensorView<const float, 1, DeviceSpace> bias_view(
        reinterpret_cast<const float*>(bias.data()), {specification.out_channels});
    if (specification.residual) {
      bias_residual_activation<Element>(context.stream(), context.traits(), x, residual, bias_view,
                                        specification.activation, y);
    } else {
      bias_activation<Element>(context.stream(), context.traits(), x, bias_view,
                               specification.activation, y);
    }
  }
};

template <class Element>
Convolution<Element>::Convolution(const Target& target, const ops::ConvolutionSpecification& spec,
                                  TensorView<const float, 4> weights,
                                  TensorView<const float, 1> bias, const Shape<4>& input_shape) {
  ops::check_convolution(spec, weights, bias, input_shape);
  const DeviceScope scope(target.device());
  const Target::State& libraries = target.state();
  auto plan = libraries.plans->get(libraries.cudnn.handle, spec, input_shape, dtype_of<Element>);
  const auto packed = channels_last<Element>(weights);
  auto uploaded_bias = plan->is_fused() ? upload_as<Element>(target, bias.data(), bias.size())
                                        : upload_as<float>(target, bias.data(), bias.size());
  state_ = std::make_unique<const State>(State{
      spec, input_shape, spec.output_shape(input_shape), std::move(plan),
      upload(target, packed.data(), packed.size() * sizeof(Element)), std::move(uploaded_bias)});
}

template <class Element>
Convolution<Element>::Convolution(Convolution&&) noexcept = default;
template <class Element>
Convolution<Element>& Convolution<Element>::operator=(Convolution&&) noexcept = default;
template <class Element>
Convolution<Element>::~Convolution() = default;

template <class Element>
void Convolution<Element>::operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                                      TensorView<Element, 4, DeviceSpace> y) const {
  ops::check_convolution_call(state_->specification, state_->input_shape, x, y, false);
  expect_aligned("convolution input", x, kTensorAlignment);
  expect_aligned("convolution output", y, kTensorAlignment);
  state_->run(context, x, {}, y);
}

template <class Element>
void Convolution<Element>::operator()(Context& context, TensorView<const Element, 4, DeviceSpace> x,
                                      TensorView<const Element, 4, DeviceSpace> r,
                                      TensorView<Element, 4, DeviceSpace> y) const {
  ops::check_convolution_call(state_->specification, state_->input_shape, x, y, true);
  expect_shape("convolution residual", r.shape(), state_->output_shape);
  expect_contiguous("convolution residual", r);
  expect_aligned("convolution input", x, kTensorAlignment);
  expect_aligned("convolution output", y, kTensorAlignment);
  expect_aligned("convolution residual", r, kTensorAlignment);
  state_->run(context, x, r, y);
}

template <class Element>
std::size_t Convolution<Element>::scratch_bytes() const {
  return state_->scratch_bytes();
}

template class Convolution<float>;
template class Convolution<bfloat16>;
template class Convolution<float16>;

}  // namespace crossfix::cuda
