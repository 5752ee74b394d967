#include "crossfix/io/safetensors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/core/tensor.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "safetensors_header.hpp"
#include "strict_json.hpp"

namespace crossfix::io {

namespace {

struct Close {
  int descriptor;
  ~Close() { ::close(descriptor); }
};

/// Reads a file; `size` is set to its length in bytes. It is not mapped: a file that another
/// program cuts short would end this one. Throws WeightsError without the file's name.
std::shared_ptr<const std::byte> read_whole(const std::filesystem::path& path, std::size_t& size) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw WeightsError(std::strerror(errno));
  const Close close{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw WeightsError(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw WeightsError("it is no regular file");
  if (status.st_size == 0) throw WeightsError("the file is empty");
  size = static_cast<std::size_t>(status.st_size);
  constexpr std::align_val_t kAlignment{kHostAlignment};
  auto* bytes = static_cast<std::byte*>(::operator new(size, kAlignment, std::nothrow));
  if (bytes == nullptr) {
    throw WeightsError("its " + std::to_string(size) + " bytes do not fit into memory");
  }
  std::shared_ptr<const std::byte> owner(bytes, [](const std::byte* address) {
    ::operator delete(const_cast<std::byte*>(address), kAlignment);
  });
  for (std::size_t filled = 0; filled < size;) {
    const ssize_t got = ::read(descriptor, bytes + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw WeightsError(std::strerror(errno));
    if (got == 0) {
      throw WeightsError("it became shorter while it was read, " + std::to_string(filled) +
                         " bytes of " + std::to_string(size));
    }
    filled += static_cast<std::size_t>(got);
  }
  return owner;
}

std::string_view format_name(Dtype dtype) {
  return std::find_if(kDtypeNames.begin(), kDtypeNames.end(),
                      [dtype](const auto& entry) { return entry.second == dtype; })
      ->first;
}

}  // namespace

Safetensors Safetensors::open(const std::filesystem::path& path) {
  Safetensors file;
  file.path_ = path;
  try {
    file.bytes_ = read_whole(path, file.size_);
    parse_safetensors(file.bytes(), file.tensors_, file.metadata_);
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
    return bits_of(a->second.dtype) > bits_of(b->second.dtype);
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  std::size_t at = 0;
  for (const auto* entry : order) {
    const TensorRecord& record = entry->second;
    const std::size_t end = at + record.byte_count();
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
  for (const auto* entry : order) file.write({entry->second.data, entry->second.byte_count()});
  file.commit();
}

}  // namespace crossfix::io
