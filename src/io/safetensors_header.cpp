#include "safetensors_header.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/io/file_kind.hpp"
#include "strict_json.hpp"

namespace crossfix::io {

namespace {

/// Range of a tensor's bytes, relative to the end of the header.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view name;
};

[[noreturn]] void fail_tensor(std::string_view name, const std::string& why) {
  throw WeightsError("tensor " + shown(name) + ": " + why);
}

std::size_t unsigned_of(const Json& value, std::string_view name, const char* field) {
  if (!value.is_number_unsigned()) {
    fail_tensor(name, std::string(field) + " holds " + shown(value.dump()) +
                          "; integers from 0 are expected");
  }
  return value.get<std::uint64_t>();
}

const Json& field_of(const Json& entry, std::string_view name, const char* field) {
  const auto found = entry.find(field);
  if (found == entry.end()) fail_tensor(name, std::string("has no ") + field);
  return *found;
}

Dtype dtype_of_entry(const Json& entry, std::string_view name) {
  const Json& value = field_of(entry, name, "dtype");
  std::string known;
  for (const auto& [text, dtype] : kDtypeNames) {
    if (value == text) return dtype;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  const std::string given = value.is_string() ? value.get<std::string>() : value.dump();
  fail_tensor(name, "dtype is " + shown(given) + "; known are " + known);
}

/// The tensor's shape; `bits`, those of an element, becomes those of all.
std::vector<Index> shape_of(const Json& entry, std::string_view name, std::size_t& bits) {
  const Json& value = field_of(entry, name, "shape");
  if (!value.is_array()) fail_tensor(name, "shape is no list");
  std::vector<Index> shape;
  for (const Json& extent : value) {
    const std::size_t count = unsigned_of(extent, name, "shape");
    // Extents are also checked one by one, so that a 0 among them does not hide invalid ones.
    constexpr auto kLargest = static_cast<std::size_t>(std::numeric_limits<Index>::max());
    if (count > kLargest || (count != 0 && bits > kLargest / count)) {
      fail_tensor(name, "shape " + shown(value.dump()) + " is too large");
    }
    bits *= count;
    shape.push_back(static_cast<Index>(count));
  }
  return shape;
}

TensorRecord parse_tensor(const Json& entry, std::string_view name, std::span<const std::byte> data,
                          std::vector<Range>& ranges) {
  if (!entry.is_object()) fail_tensor(name, "is described by no JSON object");
  TensorRecord record;
  record.dtype = dtype_of_entry(entry, name);
  std::size_t bits = bits_of(record.dtype);
  record.shape = shape_of(entry, name, bits);
  if (bits % 8 != 0) fail_tensor(name, "its " + std::to_string(bits) + " bits end within a byte");
  const Json& offsets = field_of(entry, name, "data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) {
    fail_tensor(name, "data_offsets is " + shown(offsets.dump()) + "; [begin, end] is expected");
  }
  const std::size_t begin = unsigned_of(offsets[0], name, "data_offsets");
  const std::size_t end = unsigned_of(offsets[1], name, "data_offsets");
  const std::string range = "bytes " + std::to_string(begin) + " to " + std::to_string(end);
  if (begin > end || end > data.size()) {
    fail_tensor(name, range + " lie outside the file's data of " + std::to_string(data.size()) +
                          " bytes (is the file cut short?)");
  }
  if (end - begin != bits / 8) {
    fail_tensor(name, range + " are " + std::to_string(end - begin) + ", but its shape asks for " +
                          std::to_string(bits / 8));
  }
  record.data = data.data() + begin;
  ranges.push_back({begin, end, name});
  return record;
}

/// Checks that every byte of the data belongs to exactly one tensor.
void check_cover(std::vector<Range>& ranges, std::size_t data_bytes) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t at = 0;
  std::string_view former = "the header";
  for (const Range& range : ranges) {
    if (range.begin < at) fail_tensor(range.name, "overlaps tensor " + shown(former));
    if (range.begin > at) {
      fail_tensor(range.name, std::to_string(range.begin - at) + " bytes before it belong to none");
    }
    at = range.end;
    former = range.name;
  }
  if (at != data_bytes) {
    throw WeightsError(std::to_string(data_bytes - at) + " bytes at the end belong to no tensor");
  }
}

Metadata parse_metadata(const Json& value) {
  if (value.is_null()) return {};
  if (!value.is_object()) throw WeightsError("__metadata__ is no JSON object");
  Metadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      throw WeightsError("__metadata__ holds " + shown(text.dump()) + " under " + shown(key) +
                         "; only text is allowed");
    }
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

/// Throws what the file is, where its first bytes tell, and else `otherwise`.
[[noreturn]] void fail_kind(std::string_view file, const std::string& otherwise) {
  const auto kind = kind_of_file(file);
  if (!kind) throw WeightsError(otherwise);
  std::string expected = "a safetensors file is expected";
  if (kind->sort == FileKind::Sort::checkpoint) {
    expected = "write a weights file of it with training/convert.py";
  }
  if (kind->sort == FileKind::Sort::json && file.find("\"weight_map\"") != file.npos) {
    throw WeightsError("it is an index of weights in several files; " + expected);
  }
  throw WeightsError("it is " + kind->text() + "; " + expected);
}

}  // namespace

void parse_safetensors(std::span<const std::byte> file, TensorRecords& tensors,
                       Metadata& metadata) {
  if (file.size() < kLengthBytes) {
    throw WeightsError("the file has " + std::to_string(file.size()) +
                       " bytes, too few to be safetensors");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::string claim = "the header claims " + std::to_string(length) + " bytes in a file of " +
                            std::to_string(file.size()) + "; it is ";
  if (length > kMaximumHeaderBytes) fail_kind(text, claim + "no safetensors file");
  if (length > file.size() - kLengthBytes) {
    throw WeightsError(claim + "cut short, or no safetensors file");
  }
  const std::string_view header_text = text.substr(kLengthBytes, length);
  const std::size_t brace = header_text.find_first_not_of(" \t\r\n");
  if (brace == header_text.npos || header_text[brace] != '{') {
    fail_kind(text, "the header does not begin with '{'");
  }
  const std::span<const std::byte> data = file.subspan(kLengthBytes + length);
  constexpr int kDeepest = 64;  // fields that the format does not know may hold anything
  const Json header = parse_strict("the header", header_text, kDeepest);
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadataKey) {
      metadata = parse_metadata(entry);
      continue;
    }
    const auto at = tensors.emplace(name, TensorRecord{}).first;
    at->second = parse_tensor(entry, at->first, data, ranges);
  }
  check_cover(ranges, data.size());
}

}  // namespace crossfix::io
