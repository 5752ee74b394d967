#include <cudnn_graph.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cudnn_descriptors.hpp"
#include "fake.hpp"

struct cudnnContext {
  crossfix::fake::Alive alive;
  cudaStream_t stream = nullptr;
};

namespace crossfix::fake {
namespace {

/// The engines that the stand-in offers for a graph, in the order of its heuristics. Those before
/// the one to be chosen are traps: code that picks one of them ignores what cuDNN says about it.
struct Engine {
  std::vector<cudnnBackendNumericalNote_t> notes;
  std::int64_t workspace = 0;
  bool plans = true;  // whether a plan with it can be finished
  bool right = false;
};

std::size_t size_of_type(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    case CUDNN_TYPE_BOOLEAN:
      return 1;
    default:
      return 4;
  }
}

std::vector<const DescriptorState*> operations_of(const DescriptorState& graph) {
  std::vector<const DescriptorState*> operations;
  for (void* raw : graph.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    operations.push_back(static_cast<const DescriptorState*>(raw));
  }
  return operations;
}

bool is_float(const DescriptorState& graph) {
  return operations_of(graph)
             .at(0)
             ->descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)
             .one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_FLOAT;
}

/// Whether the second input of every pointwise operation has the type of the convolution, as
/// cuDNN's ready-made fused engines require of a bias.
bool inputs_are_alike(const DescriptorState& graph) {
  const auto operations = operations_of(graph);
  const auto type = operations.at(0)
                        ->descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)
                        .one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  for (std::size_t i = 1; i < operations.size(); ++i) {
    const auto name = CUDNN_ATTR_OPERATION_POINTWISE_BDESC;
    if (!operations[i]->has(name)) continue;
    const DescriptorState& input = operations[i]->descriptor(name);
    if (input.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) != type) return false;
  }
  return true;
}

std::vector<Engine> engines_for(const DescriptorState& graph, cudnnBackendHeurMode_t mode) {
  if (!inputs_are_alike(graph)) return {};
  const bool fused = operations_of(graph).size() > 1;
  const Engine greedy{{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, std::int64_t{1} << 34};
  const Engine rounding{
      {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, 0};
  const Engine broken{{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 0, false};
  const Engine tensor_cores{{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 1000, true, true};
  if (!is_float(graph)) {
    if (mode == CUDNN_HEUR_MODE_A) return {greedy, rounding, broken, tensor_cores};
    return {};
  }
  // Floats: fused only on tensor cores; plain also without them, but only by the fallback.
  const Engine tf32{{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}};
  const Engine winograd{{CUDNN_NUMERICAL_NOTE_WINOGRAD}};
  const Engine exact{{}, 500, true, true};
  if (mode == CUDNN_HEUR_MODE_A) return {tf32, winograd};
  if (fused) return {};
  return {tf32, exact};
}

}  // namespace

const std::map<cudnnBackendAttributeName_t, Rule>& rules_of(cudnnBackendDescriptorType_t type) {
  constexpr bool kNeeded = true;
  using Rules = std::map<cudnnBackendAttributeName_t, Rule>;
  static const std::map<cudnnBackendDescriptorType_t, Rules> all{
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR,
       {{CUDNN_ATTR_TENSOR_UNIQUE_ID, {CUDNN_TYPE_INT64, 1, 1, kNeeded}},
        {CUDNN_ATTR_TENSOR_DATA_TYPE, {CUDNN_TYPE_DATA_TYPE, 1, 1, kNeeded}},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, {CUDNN_TYPE_INT64, 4, 4, kNeeded}},
        {CUDNN_ATTR_TENSOR_STRIDES, {CUDNN_TYPE_INT64, 4, 4, kNeeded}},
        {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {CUDNN_TYPE_INT64, 1, 1, kNeeded}},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, {CUDNN_TYPE_BOOLEAN, 1, 1, false}}}},
      {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
       {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, {CUDNN_TYPE_DATA_TYPE, 1, 1, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, {CUDNN_TYPE_CONVOLUTION_MODE, 1, 1, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {CUDNN_TYPE_INT64, 1, 1, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, {CUDNN_TYPE_INT64, 2, 2, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {CUDNN_TYPE_INT64, 2, 2, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {CUDNN_TYPE_INT64, 2, 2, kNeeded}},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {CUDNN_TYPE_INT64, 2, 2, kNeeded}}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
         {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
         {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
         {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
         {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, {CUDNN_TYPE_FLOAT, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, {CUDNN_TYPE_FLOAT, 1, 1, kNeeded}}}},
      {CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_POINTWISE_MODE, {CUDNN_TYPE_POINTWISE_MODE, 1, 1, kNeeded}},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, {CUDNN_TYPE_DATA_TYPE, 1, 1, kNeeded}}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
         {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, false}},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}}}},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATIONGRAPH_HANDLE, {CUDNN_TYPE_HANDLE, 1, 1, kNeeded}},
        {CUDNN_ATTR_OPERATIONGRAPH_OPS, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 8, kNeeded}}}},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}},
        {CUDNN_ATTR_ENGINEHEUR_MODE, {CUDNN_TYPE_HEUR_MODE, 1, 1, kNeeded}}}},
      {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, {}},
      {CUDNN_BACKEND_ENGINE_DESCRIPTOR, {}},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
       {{CUDNN_ATTR_EXECUTION_PLAN_HANDLE, {CUDNN_TYPE_HANDLE, 1, 1, kNeeded}},
        {CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, kNeeded}}}},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
       {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {CUDNN_TYPE_INT64, 1, 16, kNeeded}},
        {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {CUDNN_TYPE_VOID_PTR, 1, 16, kNeeded}},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {CUDNN_TYPE_VOID_PTR, 1, 1, kNeeded}}}}};
  return all.at(type);
}

}  // namespace crossfix::fake

using namespace crossfix::fake;

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_BAD_PARAM ? "bad parameter" : "an error of the stand-in";
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  static_cast<void>(rules_of(type));
  *descriptor = new DescriptorState(type);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  delete &state_of(descriptor);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count,
                                       const void* values) {
  DescriptorState& state = state_of(descriptor);
  const auto& rules = rules_of(state.type);
  const auto rule = rules.find(name);
  if (state.finished || rule == rules.end() || rule->second.type != type ||
      count < rule->second.least || count > rule->second.most) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (!state_of(static_cast<const cudnnBackendDescriptor_t*>(values)[i]).finished) {
        return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
      }
    }
  }
  const auto* bytes = static_cast<const std::byte*>(values);
  const auto size = static_cast<std::size_t>(count) * size_of_type(type);
  state.attributes[name] = {type, count, std::vector<std::byte>(bytes, bytes + size)};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  DescriptorState& state = state_of(descriptor);
  for (const auto& [name, rule] : rules_of(state.type)) {
    if (rule.needed && !state.has(name)) return CUDNN_STATUS_BAD_PARAM;
  }
  if (state.finished) return CUDNN_STATUS_BAD_PARAM;
  if (state.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    state.mode = state.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
    state.graph = &state.descriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    if (engines_for(*state.graph, state.mode).empty()) return CUDNN_STATUS_NOT_SUPPORTED;
  }
  if (state.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    const auto& configuration = state.descriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    state.engine = configuration.engine;
    state.mode = configuration.mode;
    state.graph = configuration.graph;
    const auto engines = engines_for(*state.graph, state.mode);
    if (!engines.at(static_cast<std::size_t>(state.engine)).plans) {
      return CUDNN_STATUS_NOT_SUPPORTED;
    }
  }
  state.finished = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t wanted,
                                       std::int64_t* count, void* values) {
  const DescriptorState& state = state_of(descriptor);
  if (!state.finished) return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  const auto engine = [&state] {
    return engines_for(*state.graph, state.mode).at(static_cast<std::size_t>(state.engine));
  };
  const auto give = [&](DescriptorState& out, int index) {
    out.engine = index;
    out.mode = state.mode;
    out.graph = state.graph;
    out.finished = true;
  };
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    const auto most = static_cast<std::int64_t>(engines_for(*state.graph, state.mode).size());
    *count = wanted == 0 ? most : std::min(most, wanted);
    for (std::int64_t i = 0; i < std::min(most, wanted); ++i) {
      give(state_of(static_cast<cudnnBackendDescriptor_t*>(values)[i]), static_cast<int>(i));
    }
    return CUDNN_STATUS_SUCCESS;
  }
  if (name == CUDNN_ATTR_ENGINECFG_ENGINE && type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    *count = 1;
    if (wanted > 0) give(state_of(*static_cast<cudnnBackendDescriptor_t*>(values)), state.engine);
    return CUDNN_STATUS_SUCCESS;
  }
  if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE && type == CUDNN_TYPE_NUMERICAL_NOTE) {
    const auto notes = engine().notes;
    *count = static_cast<std::int64_t>(notes.size());
    std::copy_n(notes.begin(), std::min(*count, wanted),
                static_cast<cudnnBackendNumericalNote_t*>(values));
    return CUDNN_STATUS_SUCCESS;
  }
  if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE && type == CUDNN_TYPE_INT64) {
    *count = 1;
    *static_cast<std::int64_t*>(values) = engine().workspace;
    return CUDNN_STATUS_SUCCESS;
  }
  return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  const DescriptorState& chosen = state_of(plan);
  const DescriptorState& given = state_of(pack);
  if (!chosen.finished || !given.finished || handle->stream == nullptr) {
    return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  }
  const Engine engine =
      engines_for(*chosen.graph, chosen.mode).at(static_cast<std::size_t>(chosen.engine));
  if (!engine.right) return CUDNN_STATUS_EXECUTION_FAILED;
  // The caller may destroy the pack once this returns.
  auto copy = std::make_shared<DescriptorState>(given.type);
  copy->attributes = given.attributes;
  const DescriptorState* graph = chosen.graph;
  submit(handle->stream, [copy, graph, workspace = engine.workspace] {
    void* memory = const_cast<void*>(copy->one<const void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE));
    expect_device_memory("the workspace of a convolution", memory,
                         static_cast<std::size_t>(workspace));
    // The whole area is written, so anything else in it is lost.
    std::memset(memory, 0xff, static_cast<std::size_t>(workspace));
    execute(*graph, *copy);
    std::memset(memory, 0xff, static_cast<std::size_t>(workspace));
  });
  return CUDNN_STATUS_SUCCESS;
}
