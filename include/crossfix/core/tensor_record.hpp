#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/shape.hpp"

namespace crossfix {

/// A named tensor inside a file: its type, its shape and the address of its bytes. The bytes are
/// little-endian, row-major and without gaps. They are owned by the object that opened the file,
/// and may begin anywhere: copy elements out, as `to_float` does.
struct TensorRecord {
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape = {};
  const std::byte* data = nullptr;

  /// Number of elements; 1 for a scalar (rank 0).
  Index element_count() const {
    Index count = 1;
    for (Index extent : shape) count *= extent;
    return count;
  }
  std::size_t byte_count() const {
    return static_cast<std::size_t>(element_count()) * bits_of(dtype) / 8;
  }
};

/// Converts the record's `element_count()` elements to float. Throws WeightsError if the type is
/// not a floating-point type.
inline void to_float(const TensorRecord& record, float* out) {
  const auto convert = [&]<class T>(T) {
    for (Index i = 0; i < record.element_count(); ++i) {
      T value;
      std::memcpy(&value, record.data + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
      out[i] = static_cast<float>(value);
    }
  };
  switch (record.dtype) {
    case Dtype::f32:
      return convert(float{});
    case Dtype::f16:
      return convert(float16{});
    case Dtype::bf16:
      return convert(bfloat16{});
    case Dtype::f64:
      return convert(double{});
    default:
      throw WeightsError("a tensor of type " + std::string(name_of(record.dtype)) +
                         " where floating-point numbers are expected");
  }
}

/// The tensors of a file by name.
using TensorRecords = std::map<std::string, TensorRecord, std::less<>>;

}  // namespace crossfix
