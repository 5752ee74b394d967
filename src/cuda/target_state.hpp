#pragma once

#include <cublasLt.h>
#include <cudnn_graph.h>

#include <memory>

#include "convolution_plan.hpp"
#include "crossfix/cuda/target.hpp"

namespace crossfix::cuda {

/// The state of a target. It is made and destroyed while its device is current.
struct Target::State {
  State(const Device& on, std::shared_ptr<MemoryResource> from);

  struct CublasLt {
    CublasLt();
    ~CublasLt();
    CublasLt(const CublasLt&) = delete;
    CublasLt& operator=(const CublasLt&) = delete;
    cublasLtHandle_t handle = nullptr;
  };
  struct Cudnn {
    explicit Cudnn(StreamView stream);
    ~Cudnn();
    Cudnn(const Cudnn&) = delete;
    Cudnn& operator=(const Cudnn&) = delete;
    cudnnHandle_t handle = nullptr;
  };

  Device device;
  std::shared_ptr<MemoryResource> memory;
  Stream stream;
  CublasLt cublas;
  Cudnn cudnn;
  std::unique_ptr<ConvolutionPlans> plans = std::make_unique<ConvolutionPlans>();
};

}  // namespace crossfix::cuda
