#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// The raw outputs of some pairs, written as safetensors, f32: `logits` [pairs, cells], `offsets`
/// [pairs, cells, 2] (after the sigmoid, (row, col) in cells), `probability` [pairs, N, N] and
/// `window` [pairs, 4] (row, col, height, width of what the grid covers, tile pixels). If the fixes
/// have them, also `heading_probability` [pairs, K] and `pose_probability` [pairs, K, N, N].
class RawDump {
 public:
  /// Throws DataError if `path` cannot be written.
  explicit RawDump(std::filesystem::path path);

  /// Throws DataError if the grid of the fix, or whether its heading was searched for, differs from
  /// the fixes before.
  void add(const Fix& fix);

  /// For a pair that could not be located: rows of NaN, so that rows correspond to the list.
  void add_missing();

  /// Writes the file whole or not at all; not if no pair could be located. Throws DataError.
  void commit() const;

 private:
  static constexpr std::size_t kFields = 6;

  std::filesystem::path path_;
  Index pairs_ = 0;
  Index grid_ = 0;  ///< of the first pair that was located
  std::array<std::vector<float>, kFields> rows_;
  std::array<std::size_t, kFields> lengths_{};  ///< of a row
};

/// The part of a fix that RawDump takes, with the number of its pair, to send to another rank. Not
/// a file format.
std::string pack_raw(std::size_t number, const Fix& fix);

/// Takes one such pair from the front of `bytes`.
std::pair<std::size_t, Fix> unpack_raw(std::string_view& bytes);

}  // namespace crossfix::pipeline
