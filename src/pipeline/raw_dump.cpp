#include "raw_dump.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/safetensors.hpp"

namespace crossfix::pipeline {
namespace {

/// The vectors of a fix that are dumped after its window, in the order of RawDump's fields.
template <class AnyFix>
auto vectors_of(AnyFix& fix) {
  return std::array{&fix.logits, &fix.offsets, &fix.probability, &fix.heading_probability,
                    &fix.pose_probability};
}

}  // namespace

RawDump::RawDump(std::filesystem::path path) : path_(std::move(path)) {
  const io::AtomicFile probe(path_);  // fails now, not at the end of long work
}

void RawDump::add(const Fix& fix) {
  const std::array<float, 4> window{
      static_cast<float>(fix.window.row), static_cast<float>(fix.window.col),
      static_cast<float>(fix.window.height), static_cast<float>(fix.window.width)};
  std::array<std::span<const float>, kFields> values{window};
  std::ranges::transform(vectors_of(fix), values.begin() + 1,
                         [](const auto* vector) { return std::span<const float>(*vector); });
  if (grid_ == 0) {
    grid_ = fix.grid;
    // Pairs before this one could not be located, so the length of their rows was not known.
    const Index missing = std::exchange(pairs_, 0);
    for (std::size_t i = 0; i < kFields; ++i) lengths_[i] = values[i].size();
    while (pairs_ < missing) add_missing();
  }
  if (fix.grid != grid_) {
    throw DataError("--dump: pair " + std::to_string(pairs_ + 1) + " has a grid of " +
                    std::to_string(fix.grid) + " cells a side, those before of " +
                    std::to_string(grid_) + ": give tiles of one size in metres");
  }
  for (std::size_t i = 0; i < kFields; ++i) {
    if (values[i].size() == lengths_[i]) continue;
    throw DataError("--dump: the heading of pair " + std::to_string(pairs_ + 1) + " is " +
                    (values[i].size() > lengths_[i] ? "searched for" : "given") +
                    ", not so those of the pairs before: give headings of one kind");
  }
  for (std::size_t i = 0; i < kFields; ++i) {
    rows_[i].insert(rows_[i].end(), values[i].begin(), values[i].end());
  }
  ++pairs_;
}

void RawDump::add_missing() {
  constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < kFields; ++i) {
    rows_[i].insert(rows_[i].end(), lengths_[i], kMissing);
  }
  ++pairs_;
}

void RawDump::commit() const {
  if (grid_ == 0) return;
  const Index cells = grid_ * grid_;
  const auto headings = static_cast<Index>(lengths_[4]);
  const Index posed = static_cast<Index>(lengths_[5]) / cells;
  const std::array<std::pair<const char*, std::vector<Index>>, kFields> shapes{
      {{"window", {pairs_, static_cast<Index>(lengths_[0])}},
       {"logits", {pairs_, cells}},
       {"offsets", {pairs_, cells, 2}},
       {"probability", {pairs_, grid_, grid_}},
       {"heading_probability", {pairs_, headings}},
       {"pose_probability", {pairs_, posed, grid_, grid_}}}};
  constexpr std::size_t kAlways = 4;
  TensorRecords records;
  for (std::size_t i = 0; i < kFields; ++i) {
    if (i >= kAlways && lengths_[i] == 0) continue;
    records[shapes[i].first] = {Dtype::f32, shapes[i].second,
                                std::as_bytes(std::span(rows_[i])).data()};
  }
  io::write_safetensors(path_, records);
}

std::string pack_raw(std::size_t number, const Fix& fix) {
  std::string bytes;
  const auto put = [&bytes](const void* from, std::size_t count) {
    bytes.append(static_cast<const char*>(from), count);
  };
  put(&number, sizeof number);
  put(&fix.grid, sizeof fix.grid);
  put(&fix.window, sizeof fix.window);
  for (const auto* vector : vectors_of(fix)) {
    const std::size_t length = vector->size();
    put(&length, sizeof length);
    put(vector->data(), length * sizeof(float));
  }
  return bytes;
}

std::pair<std::size_t, Fix> unpack_raw(std::string_view& bytes) {
  const auto take = [&](void* to, std::size_t count) {
    std::memcpy(to, bytes.data(), count);
    bytes.remove_prefix(count);
  };
  std::pair<std::size_t, Fix> taken;
  take(&taken.first, sizeof taken.first);
  take(&taken.second.grid, sizeof taken.second.grid);
  take(&taken.second.window, sizeof taken.second.window);
  for (auto* vector : vectors_of(taken.second)) {
    std::size_t length = 0;
    take(&length, sizeof length);
    vector->resize(length);
    if (length > 0) take(vector->data(), length * sizeof(float));
  }
  return taken;
}

}  // namespace crossfix::pipeline
