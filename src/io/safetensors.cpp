#include "crossfix/io/safetensors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "safetensors_header.hpp"
#include "strict_json.hpp"

namespace crossfix::io {

namespace {

/// Maps a file read-only; `size` is set to its length in bytes. Throws WeightsError without the
/// file's name.
std::shared_ptr<const std::byte> map_file(const std::filesystem::path& path, std::size_t& size) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw WeightsError(std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  size = known && S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  void* address = MAP_FAILED;
  if (size > 0) address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int error = errno;
  ::close(descriptor);  // the mapping stays valid
  if (!known || !S_ISREG(status.st_mode)) throw WeightsError("it is no regular file");
  if (size == 0) throw WeightsError("the file is empty");
  if (address == MAP_FAILED) throw WeightsError(std::strerror(error));
  return {static_cast<const std::byte*>(address),
          [size](const std::byte* mapped) { ::munmap(const_cast<std::byte*>(mapped), size); }};
}

std::string_view format_name(Dtype dtype) {
  return std::find_if(kDtypeNames.begin(), kDtypeNames.end(),
                      [dtype](const auto& entry) { return entry.second == dtype; })
      ->first;
}

std::size_t bytes_of(const TensorRecord& record) {
  return static_cast<std::size_t>(record.element_count()) * size_of(record.dtype);
}

}  // namespace

Safetensors Safetensors::open(const std::filesystem::path& path) {
  Safetensors file;
  file.path_ = path;
  try {
    std::size_t size = 0;
    file.mapping_ = map_file(path, size);
    parse_safetensors({file.mapping_.get(), size}, file.tensors_, file.metadata_);
  } catch (const WeightsError& error) {
    throw WeightsError("cannot read weights '" + path.string() + "': " + error.what());
  }
  return file;
}

void write_safetensors(const std::filesystem::path& path, const TensorRecords& tensors,
                       const Metadata& metadata) {
  std::vector<const TensorRecords::value_type*> order;
  for (const auto& entry : tensors) {
    if (entry.first.empty() || entry.first == kMetadataKey) {
      throw WeightsError("a tensor cannot be called " + shown(entry.first));
    }
    order.push_back(&entry);
  }
  // Decreasing element size keeps every tensor aligned without gaps.
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype) > size_of(b->second.dtype);
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  std::size_t at = 0;
  for (const auto* entry : order) {
    const TensorRecord& record = entry->second;
    const std::size_t end = at + bytes_of(record);
    header[entry->first] = {
        {"dtype", format_name(record.dtype)}, {"shape", record.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception& error) {
    throw WeightsError("cannot write weights '" + path.string() + "': " + error.what());
  }
  const std::size_t head = kLengthBytes + text.size();
  text.append((kHostAlignment - head % kHostAlignment) % kHostAlignment, ' ');
  if (text.size() > kMaximumHeaderBytes) {
    throw WeightsError("cannot write weights '" + path.string() + "': the header needs " +
                       std::to_string(text.size()) + " bytes, the format ends at " +
                       std::to_string(kMaximumHeaderBytes));
  }
  std::string length;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length += static_cast<char>(static_cast<std::uint64_t>(text.size()) >> 8 * i & 0xffU);
  }
  AtomicFile file(path);
  file.write(length);
  file.write(text);
  for (const auto* entry : order) file.write({entry->second.data, bytes_of(entry->second)});
  file.commit();
}

}  // namespace crossfix::io
