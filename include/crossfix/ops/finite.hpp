#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor_view.hpp"

/// Checks of what the stages of a network compute. They read host memory; values in a GPU's memory
/// pass unseen.
namespace crossfix::ops {

/// Largest magnitude of a feature inside a backbone; trained ones give at most about 1e3. Weights
/// are bounded (model::Parameters), so that no sum between two checks can overflow from here.
inline constexpr float kLargestFeature = 1e8F;

[[noreturn]] inline void fail_overflow(std::string_view stage) {
  throw NumberError("the " + std::string(stage) +
                    " overflows: it gives numbers that are not finite or far too large; these "
                    "weights are no trained network's");
}

/// Whether no value is NaN or of a magnitude above `largest`. The values are contiguous.
template <class T>
bool are_within(const T* values, Index count, float largest) {
  const auto bits_of = [](T value) {
    // Without its sign the bits of a float are ordered as its magnitude is; NaN comes last.
    return std::bit_cast<std::int32_t>(static_cast<float>(value)) & 0x7fffffff;
  };
  std::int32_t most = 0;
  for (Index i = 0; i < count; ++i) most = std::max(most, bits_of(values[i]));
  return most <= std::bit_cast<std::int32_t>(largest);
}

/// Throws NumberError, which names the stage, unless every value is finite. `values`: contiguous.
template <class T, std::size_t Rank, MemorySpace Space>
void expect_finite(const TensorView<T, Rank, Space>& values, std::string_view stage) {
  if constexpr (Space::kHostAccessible) {
    if (!are_within(values.data(), values.size(), std::numeric_limits<float>::max())) {
      fail_overflow(stage);
    }
  }
}

/// Throws NumberError, which names the stage, unless features [batch, height, width, channels] are
/// at most `kLargestFeature`. It looks at one row of each image: what overflows does so everywhere.
template <class T, MemorySpace Space>
void expect_moderate(const TensorView<T, 4, Space>& features, std::string_view stage) {
  if constexpr (Space::kHostAccessible) {
    for (Index image = 0; image < features.extent(0); ++image) {
      const T* row = &features(image, features.extent(1) / 2, Index{0}, Index{0});
      if (!are_within(row, features.extent(2) * features.extent(3), kLargestFeature)) {
        fail_overflow(stage);
      }
    }
  }
}

}  // namespace crossfix::ops
