#pragma once

#include <cstddef>
#include <vector>

#include "crossfix/core/shape.hpp"
#include "crossfix/cuda/buffer.hpp"

namespace crossfix::cuda {

/// A copy of `count` floats on the device, each converted to T. Waits for the copy.
template <class T>
DeviceBuffer upload_as(const Target& target, const float* values, Index count) {
  std::vector<T> converted;
  converted.reserve(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) converted.push_back(T(values[i]));
  return upload(target, converted.data(), converted.size() * sizeof(T));
}

}  // namespace crossfix::cuda
