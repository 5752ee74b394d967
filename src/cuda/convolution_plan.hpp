#pragma once

#include <cudnn_graph.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/tensor_view.hpp"
#include "crossfix/ops/specification.hpp"
#include "descriptor.hpp"

namespace crossfix::cuda {

/// How cuDNN computes a convolution for one input shape: an operation graph and the engine chosen
/// for it. Weights are arguments of each run, so that convolutions of the same shape share a plan.
class ConvolutionPlan {
 public:
  /// Largest workspace that an engine may request, bytes.
  static constexpr std::int64_t kWorkspaceLimit = std::int64_t{128} << 20;

  /// The tensors of a run, all with the plan's element type. `bias` [out] and `residual`, with y's
  /// shape, are used if the plan is fused.
  struct Tensors {
    const void* x = nullptr;
    const void* weights = nullptr;
    const void* bias = nullptr;
    const void* residual = nullptr;
    void* y = nullptr;
  };

  /// `fused`: includes the bias, the residual and the activation of the specification, but not the
  /// activation's upper limit. Returns null if cuDNN has no engine that sums in float, without
  /// TF32, within the workspace limit. `element` is f32, f16 or bf16.
  static std::unique_ptr<const ConvolutionPlan> find(cudnnHandle_t handle,
                                                     const ops::ConvolutionSpecification& spec,
                                                     const Shape<4>& input, Dtype element,
                                                     bool fused);

  bool is_fused() const { return fused_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }

  /// Enqueues the convolution on the handle's stream. May be called from any thread with its own
  /// handle.
  void run(cudnnHandle_t handle, const Tensors& tensors, void* workspace) const;

 private:
  ConvolutionPlan(bool fused, bool residual) : fused_(fused), residual_(residual) {}
  const Descriptor& keep(Descriptor descriptor);
  const Descriptor& tensor(std::int64_t id, cudnnDataType_t type, const Shape<4>& nhwc,
                           bool is_virtual = false);
  const Descriptor& pointwise(cudnnPointwiseMode_t mode, const Descriptor& x, const Descriptor* b,
                              const Descriptor& y);
  bool choose_engine(cudnnHandle_t handle, const Descriptor& graph, Dtype element);

  bool fused_;
  bool residual_;
  std::vector<std::unique_ptr<Descriptor>> parts_;  // objects that the plan may refer to
  std::vector<cudnnBackendDescriptor_t> operations_;
  std::unique_ptr<Descriptor> plan_;
  std::size_t workspace_bytes_ = 0;
  // Plans shared among threads are not safe in cuDNN 8 and 9: pytorch/pytorch pull request 103939.
  mutable std::mutex running_;
};

/// The plans of a target, stored by what they compute, because finding a plan may include compiling
/// it.
class ConvolutionPlans {
 public:
  /// The plan, fused if cuDNN supports it. Throws DeviceError if cuDNN supports neither form.
  std::shared_ptr<const ConvolutionPlan> get(cudnnHandle_t handle,
                                             const ops::ConvolutionSpecification& spec,
                                             const Shape<4>& input, Dtype element);

 private:
  using Key = std::array<Index, 13>;
  std::map<Key, std::shared_ptr<const ConvolutionPlan>> plans_;
};

}  // namespace crossfix::cuda
