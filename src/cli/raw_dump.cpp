#include "raw_dump.hpp"

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

}  // namespace crossfix::cli
