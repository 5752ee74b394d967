#include "convolution_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace crossfix::cuda {
namespace {

/// Identifiers of the tensors within a graph.
enum TensorId : std::int64_t { kX = 1, kWeights, kBias, kResidual, kY, kFirstVirtual };

constexpr std::int64_t kAlignment = 16;  // bytes, of every tensor

cudnnDataType_t data_type(Dtype element) {
  switch (element) {
    case Dtype::bf16:
      return CUDNN_DATA_BFLOAT16;
    case Dtype::f16:
      return CUDNN_DATA_HALF;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

/// Whether an engine with these notes has the promised precision: sums in float, and products of
/// floats in float. Tensor cores round float inputs to TF32. Winograd's transforms and the FFT lose
/// digits that float results should have.
bool is_exact(const std::vector<cudnnBackendNumericalNote_t>& notes, Dtype element) {
  return std::ranges::none_of(notes, [element](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        return true;
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
        return element == Dtype::f32;
      default:
        return false;
    }
  });
}

/// Whether the activation has the lower limit zero, the only part of it that a plan applies.
/// cuDNN's RELU_FWD would also support an upper limit, but then no ready-made engine on tensor
/// cores is left, only a generic one.
bool is_limited(ops::Activation activation) { return activation != ops::Activation::none; }

}  // namespace

const Descriptor& ConvolutionPlan::keep(Descriptor descriptor) {
  return *parts_.emplace_back(std::make_unique<Descriptor>(std::move(descriptor)));
}

// cuDNN names a tensor's axes n, c, h, w, whatever their order in memory.
const Descriptor& ConvolutionPlan::tensor(std::int64_t id, cudnnDataType_t type,
                                          const Shape<4>& nhwc, bool is_virtual) {
  const auto [n, h, w, c] = nhwc;
  Descriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
      .set<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w})
      .set<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual)
      .finish("describing a tensor");
  return keep(std::move(descriptor));
}

const Descriptor& ConvolutionPlan::pointwise(cudnnPointwiseMode_t mode, const Descriptor& x,
                                             const Descriptor* b, const Descriptor& y) {
  Descriptor what(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  what.set(CUDNN_ATTR_POINTWISE_MODE, mode)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT)
      .finish("describing a pointwise operation");
  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, keep(std::move(what)))
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  operation.finish("making a pointwise operation");
  const Descriptor& kept = keep(std::move(operation));
  operations_.push_back(kept.get());
  return kept;
}

bool ConvolutionPlan::choose_engine(cudnnHandle_t handle, const Descriptor& graph, Dtype element) {
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (!heuristic.try_finish()) continue;
    for (Descriptor& configuration : heuristic.get_descriptors(
             CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
      const auto engines = configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE,
                                                         CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      const auto notes = engines.at(0).get<cudnnBackendNumericalNote_t>(
          CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
      if (!is_exact(notes, element)) continue;
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle)
          .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      if (!plan.try_finish()) continue;
      const std::int64_t workspace =
          plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 1).at(0);
      if (workspace > kWorkspaceLimit) continue;
      keep(std::move(configuration));
      plan_ = std::make_unique<Descriptor>(std::move(plan));
      workspace_bytes_ = static_cast<std::size_t>(workspace);
      return true;
    }
  }
  return false;
}

std::unique_ptr<const ConvolutionPlan> ConvolutionPlan::find(
    cudnnHandle_t handle, const ops::ConvolutionSpecification& spec, const Shape<4>& input,
    Dtype element, bool fused) {
  std::unique_ptr<ConvolutionPlan> plan(new ConvolutionPlan(fused, fused && spec.residual));
  ConvolutionPlan& p = *plan;
  const cudnnDataType_t type = data_type(element);
  const Shape<4> output = spec.output_shape(input);
  const bool relu = fused && is_limited(spec.activation);

  Descriptor what(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  what.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
      .set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS, {spec.dilation, spec.dilation})
      .set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {spec.stride, spec.stride})
      .set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {spec.padding, spec.padding})
      .set<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {spec.padding, spec.padding})
      .finish("describing a convolution");

  // The tensors between the operations are virtual and in float: they are never written to memory.
  std::int64_t next = kFirstVirtual;
  const auto between = [&](bool last) -> const Descriptor& {
    return last ? p.tensor(kY, type, output)
                : p.tensor(next++, CUDNN_DATA_FLOAT, output, /*is_virtual=*/true);
  };
  const Descriptor* y = &between(!fused);
  Descriptor convolution(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, p.keep(std::move(what)))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, p.tensor(kX, type, input))
      .set(
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
          p.tensor(kWeights, type, {spec.out_channels, spec.kernel, spec.kernel, spec.in_channels}))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *y)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F)
      .finish("making a convolution");
  p.operations_.push_back(p.keep(std::move(convolution)).get());
  if (fused) {
    const auto then = [&](cudnnPointwiseMode_t mode, const Descriptor* b, bool last) {
      const Descriptor& out = between(last);
      p.pointwise(mode, *y, b, out);
      y = &out;
    };
    // The residual is added before the bias, and the bias has the type of the inputs, because
    // cuDNN's ready-made engines expect this. Other engines must be compiled, which takes a large
    // part of a second each.
    if (spec.residual) {
      then(CUDNN_POINTWISE_ADD, &p.tensor(kResidual, type, output), false);
    }
    then(CUDNN_POINTWISE_ADD, &p.tensor(kBias, type, {1, 1, 1, spec.out_channels}), !relu);
    if (relu) then(CUDNN_POINTWISE_RELU_FWD, nullptr, true);
  }

  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle)
      .set_descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, p.operations_);
  if (!graph.try_finish()) return nullptr;
  if (!p.choose_engine(handle, p.keep(std::move(graph)), element)) return nullptr;
  return plan;
}

void ConvolutionPlan::run(cudnnHandle_t handle, const Tensors& tensors, void* workspace) const {
  std::vector<std::int64_t> ids{kX, kWeights, kY};
  std::vector<const void*> pointers{tensors.x, tensors.weights, tensors.y};
  if (fused_) {
    ids.push_back(kBias);
    pointers.push_back(tensors.bias);
  }
  if (residual_) {
    ids.push_back(kResidual);
    pointers.push_back(tensors.residual);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const std::int64_t>(ids))
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::span<const void* const>(pointers))
      .set<const void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finish("binding a convolution's tensors");
  const std::lock_guard lock(running_);
  check(cudnnBackendExecute(handle, plan_->get(), pack.get()), "running a convolution");
}

std::shared_ptr<const ConvolutionPlan> ConvolutionPlans::get(
    cudnnHandle_t handle, const ops::ConvolutionSpecification& spec, const Shape<4>& input,
    Dtype element) {
  const Key key{spec.in_channels,
                spec.out_channels,
                spec.kernel,
                spec.stride,
                spec.padding,
                spec.dilation,
                is_limited(spec.activation) ? 1 : 0,
                spec.residual ? 1 : 0,
                input[0],
                input[1],
                input[2],
                input[3],
                static_cast<Index>(element)};
  auto& plan = plans_[key];
  for (const bool fused : {true, false}) {
    if (plan == nullptr) plan = ConvolutionPlan::find(handle, spec, input, element, fused);
  }
  if (plan == nullptr) {
    throw DeviceError("cuDNN has no engine for a " + std::string(name_of(element)) +
                      " convolution of kernel " + std::to_string(spec.kernel) + " from " +
                      to_string(input) + " to " + to_string(spec.output_shape(input)));
  }
  return plan;
}

}  // namespace crossfix::cuda
