// The functions of cuBLASLt and cuDNN that the backend calls. Each is looked up in its library at
// its first call. If the libraries were linked, loading them would cost about 100 ms at every
// program start, even on the CPU, and they would have to be installed on every machine.

#include "crossfix/detail/cuda/libraries.hpp"

#include <cublasLt.h>
#include <cublas_api.h>
#include <cudnn_graph.h>
#include <dlfcn.h>

#include <string>

#include "crossfix/core/error.hpp"

namespace {

/// Opens `file` in the loader's search path, or in the folder where the build found it.
void* open_library(const std::string& file, const std::string& folder) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) library = dlopen((folder + "/" + file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw crossfix::DeviceError("the GPU needs the library " + file +
                                ", which is not to be found; install it, or use the CPU "
                                "(--device cpu)");
  }
  return library;
}

template <class Function>
Function* find(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw crossfix::DeviceError(std::string("the installed library has no function ") + name +
                                "; install the version that crossfix was built with");
  }
  return reinterpret_cast<Function*>(symbol);
}

void* cublaslt() {
  static void* const library =
      open_library("libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR), CROSSFIX_CUBLASLT_FOLDER);
  return library;
}
void* cudnn() {
  static void* const library =
      open_library("libcudnn.so." + std::to_string(CUDNN_MAJOR), CROSSFIX_CUDNN_FOLDER);
  return library;
}

template <class Function>
Function* in_cublaslt(const char* name) {
  return find<Function>(cublaslt(), name);
}
template <class Function>
Function* in_cudnn(const char* name) {
  return find<Function>(cudnn(), name);
}

/// Converts 91900 to "9.19.0", the encoding that cuDNN uses from version 9 and cuBLAS from version
/// 13 on.
std::string dotted(std::size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

std::string crossfix::cuda::library_versions() {
  return "cuBLASLt " + dotted(in_cublaslt<decltype(cublasLtGetVersion)>("cublasLtGetVersion")()) +
         ", cuDNN " + dotted(in_cudnn<decltype(cudnnGetVersion)>("cudnnGetVersion")());
}

// Hidden, so that they do not replace the libraries' own functions in the rest of a program.
#pragma GCC visibility push(hidden)

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  static const auto call = in_cublaslt<decltype(cublasLtCreate)>("cublasLtCreate");
  return call(handle);
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  static const auto call = in_cublaslt<decltype(cublasLtDestroy)>("cublasLtDestroy");
  return call(handle);
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  static const auto call =
      in_cublaslt<decltype(cublasLtGetStatusString)>("cublasLtGetStatusString");
  return call(status);
}
cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, size_t size,
                                                 cudaDataType type, uint64_t rows, uint64_t cols,
                                                 int64_t ld) {
  static const auto call =
      in_cublaslt<decltype(cublasLtMatrixLayoutInit_internal)>("cublasLtMatrixLayoutInit_internal");
  return call(layout, size, type, rows, cols, ld);
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, size_t bytes) {
  static const auto call =
      in_cublaslt<decltype(cublasLtMatrixLayoutSetAttribute)>("cublasLtMatrixLayoutSetAttribute");
  return call(layout, attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t description, size_t size,
                                               cublasComputeType_t compute, cudaDataType_t scale) {
  static const auto call =
      in_cublaslt<decltype(cublasLtMatmulDescInit_internal)>("cublasLtMatmulDescInit_internal");
  return call(description, size, compute, scale);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  static const auto call =
      in_cublaslt<decltype(cublasLtMatmulDescSetAttribute)>("cublasLtMatmulDescSetAttribute");
  return call(description, attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference,
                                                     size_t size) {
  static const auto call = in_cublaslt<decltype(cublasLtMatmulPreferenceInit_internal)>(
      "cublasLtMatmulPreferenceInit_internal");
  return call(preference, size);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, size_t bytes) {
  static const auto call = in_cublaslt<decltype(cublasLtMatmulPreferenceSetAttribute)>(
      "cublasLtMatmulPreferenceSetAttribute");
  return call(preference, attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle,
                                              cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[],
                                              int* count) {
  static const auto call =
      in_cublaslt<decltype(cublasLtMatmulAlgoGetHeuristic)>("cublasLtMatmulAlgoGetHeuristic");
  return call(handle, description, a, b, c, d, preference, wanted, results, count);
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description,
                              const void* alpha, const void* a, cublasLtMatrixLayout_t a_layout,
                              const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
  static const auto call = in_cublaslt<decltype(cublasLtMatmul)>("cublasLtMatmul");
  return call(handle, description, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout,
              algorithm, workspace, workspace_bytes, stream);
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  static const auto call = in_cudnn<decltype(cudnnCreate)>("cudnnCreate");
  return call(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  static const auto call = in_cudnn<decltype(cudnnDestroy)>("cudnnDestroy");
  return call(handle);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  static const auto call = in_cudnn<decltype(cudnnSetStream)>("cudnnSetStream");
  return call(handle, stream);
}
const char* cudnnGetErrorString(cudnnStatus_t status) {
  static const auto call = in_cudnn<decltype(cudnnGetErrorString)>("cudnnGetErrorString");
  return call(status);
}
cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  static const auto call =
      in_cudnn<decltype(cudnnBackendCreateDescriptor)>("cudnnBackendCreateDescriptor");
  return call(type, descriptor);
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  static const auto call =
      in_cudnn<decltype(cudnnBackendDestroyDescriptor)>("cudnnBackendDestroyDescriptor");
  return call(descriptor);
}
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  static const auto call = in_cudnn<decltype(cudnnBackendFinalize)>("cudnnBackendFinalize");
  return call(descriptor);
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void* values) {
  static const auto call = in_cudnn<decltype(cudnnBackendSetAttribute)>("cudnnBackendSetAttribute");
  return call(descriptor, name, type, count, values);
}
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t wanted,
                                       int64_t* count, void* values) {
  static const auto call = in_cudnn<decltype(cudnnBackendGetAttribute)>("cudnnBackendGetAttribute");
  return call(descriptor, name, type, wanted, count, values);
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  static const auto call = in_cudnn<decltype(cudnnBackendExecute)>("cudnnBackendExecute");
  return call(handle, plan, pack);
}

#pragma GCC visibility pop
