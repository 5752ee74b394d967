#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "crossfix/core/tensor_record.hpp"

namespace crossfix::io {

/// The text entries of a safetensors file besides its tensors (`__metadata__`).
using Metadata = std::map<std::string, std::string, std::less<>>;

/// A safetensors file, read whole. The records point into its bytes and are valid as long as this
/// object exists. What happens to the file in that time does not matter.
///
/// Layout: 8 bytes with the header's length N, little-endian; N bytes of JSON, an object with every
/// tensor's `dtype`, `shape` and `data_offsets` [begin, end) relative to the end of the header;
/// then the bytes of the tensors. Each byte belongs to exactly one tensor.
class Safetensors {
 public:
  /// Checks the whole header against the file's size before anything is used. Throws WeightsError
  /// that names the file, and the tensor if the error concerns one tensor.
  static Safetensors open(const std::filesystem::path& path);

  Safetensors(Safetensors&&) noexcept = default;
  Safetensors& operator=(Safetensors&&) noexcept = default;
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;
  ~Safetensors() = default;

  const std::filesystem::path& path() const { return path_; }
  const TensorRecords& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }

  /// The whole file.
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  Safetensors() = default;

  std::filesystem::path path_;
  std::shared_ptr<const std::byte> bytes_;
  std::size_t size_ = 0;
  TensorRecords tensors_;
  Metadata metadata_;
};

/// Writes the file completely or not at all. Tensors are ordered by decreasing element size, then
/// by name. The first is 64-byte aligned in the file. The same input gives the same bytes. Throws
/// WeightsError if a name is empty, reserved or not UTF-8, DataError if the path cannot be written.
void write_safetensors(const std::filesystem::path& path, const TensorRecords& tensors,
                       const Metadata& metadata = {});

}  // namespace crossfix::io
