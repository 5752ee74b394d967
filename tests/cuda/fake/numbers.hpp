#pragma once

#include <cstddef>
#include <cstring>
#include <stdexcept>

#include "crossfix/core/dtype.hpp"

namespace crossfix::fake {

/// Element `index` of memory that holds elements of `type`.
inline float load(const void* memory, Dtype type, std::ptrdiff_t index) {
  switch (type) {
    case Dtype::f32:
      return static_cast<const float*>(memory)[index];
    case Dtype::bf16:
      return static_cast<float>(static_cast<const bfloat16*>(memory)[index]);
    case Dtype::f16:
      return static_cast<float>(static_cast<const float16*>(memory)[index]);
    default:
      throw std::logic_error("an element type that the stand-in does not know");
  }
}

inline void store(void* memory, Dtype type, std::ptrdiff_t index, float value) {
  switch (type) {
    case Dtype::f32:
      static_cast<float*>(memory)[index] = value;
      return;
    case Dtype::bf16:
      static_cast<bfloat16*>(memory)[index] = bfloat16(value);
      return;
    case Dtype::f16:
      static_cast<float16*>(memory)[index] = float16(value);
      return;
    default:
      throw std::logic_error("an element type that the stand-in does not know");
  }
}

}  // namespace crossfix::fake
