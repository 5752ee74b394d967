#pragma once

// Included by device/tensor_map.cuh, after the description.

namespace crossfix::device {

/// What the driver's encoding contains, not encoded.
struct TensorMap {
  TensorMapDescription description;
};

inline TensorMap make_tensor_map(const TensorMapDescription& description) {
  check_tensor_map(description);
  return {description};
}

}  // namespace crossfix::device
