#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix {

/// A named tensor inside a file: what it is and where its bytes lie. The bytes are little-endian,
/// row-major, without gaps, and belong to whoever opened the file.
struct TensorRecord {
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape;
  const std::byte* data = nullptr;

  /// Number of elements; 1 for a scalar (rank 0).
  Index element_count() const {
    Index count = 1;
    for (Index extent : shape) count *= extent;
    return count;
  }
};

/// The tensors of a file by name.
using TensorRecords = std::map<std::string, TensorRecord, std::less<>>;

}  // namespace crossfix
