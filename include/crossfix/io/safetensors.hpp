#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "crossfix/core/tensor_record.hpp"

namespace crossfix::io {

/// The text entries a safetensors file holds beside its tensors (`__metadata__`).
using Metadata = std::map<std::string, std::string, std::less<>>;

/// A safetensors file, mapped read-only: the records point into the mapping and live as long as
/// this object. The file must not be changed in place meanwhile; replacing it by rename is
/// harmless.
///
/// Layout: 8 bytes, the header's length N, little-endian; N bytes of JSON, an object that gives
/// every tensor's `dtype`, `shape` and `data_offsets` [begin, end) from the end of the header; the
/// tensors' bytes, each byte in exactly one tensor.
class Safetensors {
 public:
  /// Checks the whole header against the file's size before anything is used. Throws WeightsError
  /// naming the file, and where it is one tensor's fault the tensor.
  static Safetensors open(const std::filesystem::path& path);

  Safetensors(Safetensors&&) noexcept = default;
  Safetensors& operator=(Safetensors&&) noexcept = default;
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;
  ~Safetensors() = default;

  const std::filesystem::path& path() const { return path_; }
  const TensorRecords& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }

 private:
  Safetensors() = default;

  std::filesystem::path path_;
  std::shared_ptr<const std::byte> mapping_;
  TensorRecords tensors_;
  Metadata metadata_;
};

/// Writes the file whole or not at all. The tensors lie by falling element size, then by name, the
/// first of them 64-byte aligned in the file; the same input gives the same bytes. Throws
/// WeightsError for a name that is empty, reserved or no UTF-8, DataError where the path cannot be
/// written.
void write_safetensors(const std::filesystem::path& path, const TensorRecords& tensors,
                       const Metadata& metadata = {});

}  // namespace crossfix::io
