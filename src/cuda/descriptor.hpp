#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "status.hpp"

namespace crossfix::cuda {

/// cuDNN's attribute type for a type of values.
template <class T>
inline constexpr cudnnBackendAttributeType_t attribute_type_of = [] {
  static_assert(sizeof(T) == 0, "no attribute type for this value");
  return CUDNN_TYPE_HANDLE;
}();
template <>
inline constexpr auto attribute_type_of<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr auto attribute_type_of<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto attribute_type_of<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto attribute_type_of<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto attribute_type_of<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr auto attribute_type_of<const void*> = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto attribute_type_of<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr auto attribute_type_of<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr auto attribute_type_of<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr auto attribute_type_of<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;

/// An owned descriptor of cuDNN's graph interface.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &descriptor_), "making a descriptor");
  }
  Descriptor(Descriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ != nullptr) static_cast<void>(cudnnBackendDestroyDescriptor(descriptor_));
  }

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, std::span<const T> values) {
    check(cudnnBackendSetAttribute(descriptor_, name, attribute_type_of<T>,
                                   static_cast<std::int64_t>(values.size()), values.data()),
          "setting an attribute");
    return *this;
  }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, std::initializer_list<T> values) {
    return set(name, std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, T value) {
    return set(name, std::span<const T>(&value, 1));
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    return set_descriptors(name, {&value.descriptor_, 1});
  }
  Descriptor& set_descriptors(cudnnBackendAttributeName_t name,
                              std::span<const cudnnBackendDescriptor_t> values) {
    check(cudnnBackendSetAttribute(descriptor_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                   static_cast<std::int64_t>(values.size()), values.data()),
          "setting an attribute");
    return *this;
  }

  /// At most `most` values of an attribute.
  template <class T>
  std::vector<T> get(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> values(static_cast<std::size_t>(most));
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(descriptor_, name, attribute_type_of<T>, most, &count,
                                   values.data()),
          "reading an attribute");
    values.resize(static_cast<std::size_t>(count < most ? count : most));
    return values;
  }

  /// The descriptors of an attribute, copied into new ones of `type`.
  std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name,
                                          cudnnBackendDescriptorType_t type) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(descriptor_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count,
                                   nullptr),
          "counting descriptors");
    std::vector<Descriptor> descriptors;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < count; ++i) {
      descriptors.emplace_back(type);
      raw.push_back(descriptors.back().get());
    }
    std::int64_t got = 0;
    check(cudnnBackendGetAttribute(descriptor_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &got,
                                   raw.data()),
          "reading descriptors");
    if (got < count) descriptors.erase(descriptors.begin() + got, descriptors.end());
    return descriptors;
  }

  /// Finalises the descriptor. Throws DeviceError if cuDNN rejects its attributes.
  Descriptor& finish(const char* what) {
    check(cudnnBackendFinalize(descriptor_), what);
    return *this;
  }
  /// The same, but returns false if cuDNN rejects them.
  bool try_finish() { return cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace crossfix::cuda
