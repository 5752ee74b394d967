#include "raw_dump.hpp"

#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/safetensors.hpp"

namespace crossfix::cli {

RawDump::RawDump(std::filesystem::path path) : path_(std::move(path)) {
  const io::AtomicFile probe(path_);  // throws now what the end of long work would
}

void RawDump::add(const Fix& fix) {
  logits_.insert(logits_.end(), fix.logits.begin(), fix.logits.end());
  offsets_.insert(offsets_.end(), fix.offsets.begin(), fix.offsets.end());
  ++pairs_;
}

void RawDump::add_missing(Index cells) {
  const auto count = static_cast<std::size_t>(cells);
  constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
  logits_.insert(logits_.end(), count, kMissing);
  offsets_.insert(offsets_.end(), 2 * count, kMissing);
  ++pairs_;
}

void RawDump::commit() const {
  const Index cells = pairs_ == 0 ? 0 : static_cast<Index>(logits_.size()) / pairs_;
  TensorRecords records;
  records["logits"] = {Dtype::f32, {pairs_, cells}, std::as_bytes(std::span(logits_)).data()};
  records["offsets"] = {Dtype::f32, {pairs_, cells, 2}, std::as_bytes(std::span(offsets_)).data()};
  io::write_safetensors(path_, records);
}

std::string pack_raw(std::size_t number, const Fix& fix) {
  const std::size_t cells = fix.logits.size();
  std::string bytes(2 * sizeof(std::size_t) + 3 * cells * sizeof(float), '\0');
  char* at = bytes.data();
  const auto put = [&](const void* from, std::size_t count) {
    std::memcpy(at, from, count);
    at += count;
  };
  put(&number, sizeof number);
  put(&cells, sizeof cells);
  put(fix.logits.data(), cells * sizeof(float));
  put(fix.offsets.data(), 2 * cells * sizeof(float));
  return bytes;
}

std::pair<std::size_t, Fix> unpack_raw(std::string_view& bytes) {
  const auto take = [&](void* to, std::size_t count) {
    std::memcpy(to, bytes.data(), count);
    bytes.remove_prefix(count);
  };
  std::size_t number = 0;
  std::size_t cells = 0;
  take(&number, sizeof number);
  take(&cells, sizeof cells);
  Fix fix;
  fix.logits.resize(cells);
  fix.offsets.resize(2 * cells);
  take(fix.logits.data(), cells * sizeof(float));
  take(fix.offsets.data(), 2 * cells * sizeof(float));
  return {number, std::move(fix)};
}

}  // namespace crossfix::cli
